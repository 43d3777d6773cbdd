"""What the list of worktrees shows."""

from datetime import datetime

from msgspec import Struct


class WorktreeStep(Struct, frozen=True, kw_only=True):
    """One step of making a worktree. `stage` is `done`, `starting` (it runs), `error` or `idle` (it waits)."""

    name: str
    stage: str
    note: str = ""
    duration: int | None = None
    log: str = ""


class WorktreeRow(Struct, frozen=True, kw_only=True):
    """One worktree. `status` is a `worktree_status`; `removable` when no agent works in it."""

    id: str
    branch: str
    base_branch: str
    path: str
    status: str
    task_id: str = ""
    task_title: str = ""
    last_error: str = ""
    steps: tuple[WorktreeStep, ...] = ()
    removable: bool = False
    created_at: datetime
    removed_at: datetime | None = None


class WorktreeList(Struct, frozen=True, kw_only=True):
    """The worktrees of a project, those that exist first; `removed` are kept as history."""

    project_id: str
    worktree_root: str
    worktrees: tuple[WorktreeRow, ...] = ()
    removed: tuple[WorktreeRow, ...] = ()
