"""A worktree as the other domains read it."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct

from app.errors import InvalidId, NotFound
from app.ids import is_id
from app.postgres.reading import one, rows

WorktreeStatus = Literal["creating", "active", "merging", "removing", "removed", "error"]
StepName = Literal["add", "env", "deps", "init"]
StepStatus = Literal["pending", "running", "done", "skipped", "error"]

#: The four steps in their order.
STEPS: tuple[StepName, ...] = ("add", "env", "deps", "init")


class WorktreeRow(Struct, frozen=True, kw_only=True):
    """One row of `worktrees`."""

    id: str
    project_id: str
    task_id: str | None
    branch: str
    base_branch: str
    path: str
    status: WorktreeStatus
    last_error: str | None
    #: Its own on this machine while it is on disk; None once it is removed.
    number: int | None
    created_at: datetime
    merged_at: datetime | None
    removed_at: datetime | None

    @property
    def root(self) -> Path:
        """The folder of the worktree."""
        return Path(self.path)

    @property
    def lock_reason(self) -> str:
        """The reason under which git keeps it locked, which marks it as ours."""
        return f"agentpane:worktree:{self.id}"


class StepRow(Struct, frozen=True, kw_only=True):
    """One row of `worktree_steps`."""

    name: StepName
    status: StepStatus
    log: str | None
    started_at: datetime | None
    completed_at: datetime | None


SELECT_WORKTREE = (
    "SELECT id, project_id, task_id, branch, base_branch, path, status, last_error, created_at, merged_at,"
    " removed_at, (SELECT number FROM worktree_details d WHERE d.worktree_id = worktrees.id) AS number FROM worktrees"
)


async def get_worktree(worktree_id: str) -> WorktreeRow:
    """The worktree, or `INVALID_ID` / `WORKTREE_NOT_FOUND`."""
    if not is_id(worktree_id):
        raise InvalidId("That is not the id of a worktree.")
    worktree = await one(WorktreeRow, f"{SELECT_WORKTREE} WHERE id = $1", worktree_id)
    if worktree is None:
        raise NotFound("There is no such worktree.", "WORKTREE_NOT_FOUND")
    return worktree


async def worktrees_of(project_id: str) -> list[WorktreeRow]:
    """The worktrees of a project, those on disk first."""
    return await rows(
        WorktreeRow,
        f"{SELECT_WORKTREE} WHERE project_id = $1 ORDER BY status = 'removed', created_at DESC, id",
        project_id,
    )


async def steps_of(worktree_id: str) -> list[StepRow]:
    """The four steps in their order."""
    found = await rows(
        StepRow,
        "SELECT name, status, log, started_at, completed_at FROM worktree_steps WHERE worktree_id = $1",
        worktree_id,
    )
    return sorted(found, key=lambda step: STEPS.index(step.name))
