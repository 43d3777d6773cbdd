"""What the list of worktrees shows."""

from datetime import datetime

from msgspec import Struct

from app.tasks.views import Action
from app.worktrees.pruning import Candidate
from app.worktrees.surveying import Stray


class WorktreeStep(Struct, frozen=True, kw_only=True):
    """One step of making a worktree. `stage` is `done`, `starting` (it runs), `error` or `idle` (it waits).

    `again` is where a form has it carried out once more before the next run; empty where that is not possible.
    """

    name: str
    stage: str
    note: str = ""
    duration: int | None = None
    log: str = ""
    again: str = ""


class WorktreeRow(Struct, frozen=True, kw_only=True):
    """One worktree. `status` is a `worktree_status`; `removable` when no agent works in it.

    `problem` says what is not as it should be on the machine. `ahead` and `behind` count commits against the base,
    None where nobody can tell. `size` is in bytes as of `measured_at`, more than that when `is_larger`.
    """

    id: str
    branch: str
    base_branch: str
    path: str
    status: str
    task_id: str = ""
    task_title: str = ""
    session_id: str = ""
    last_error: str = ""
    problem: str = ""
    number: int | None = None
    #: The first and the last of its ports.
    ports: tuple[int, int] | None = None
    ahead: int | None = None
    behind: int | None = None
    size: int | None = None
    is_larger: bool = False
    measured_at: datetime | None = None
    actions: tuple[Action, ...] = ()
    steps: tuple[WorktreeStep, ...] = ()
    removable: bool = False
    created_at: datetime
    removed_at: datetime | None = None


class WorktreeList(Struct, frozen=True, kw_only=True):
    """The worktrees of a project, those that exist first; `removed` are kept as history.

    `strays` are marked as ours and in no row. `error` says why the repository cannot be looked at. `size` is in bytes,
    in all, as far as it was measured. `cleared` is the branch that keeps the work of a stray that was just removed.
    """

    project_id: str
    worktree_root: str
    worktrees: tuple[WorktreeRow, ...] = ()
    strays: tuple[Stray, ...] = ()
    error: str = ""
    size: int = 0
    cleared: str = ""
    removed: tuple[WorktreeRow, ...] = ()


class KeptBranch(Struct, frozen=True, kw_only=True):
    """A branch whose worktree was pruned, or was to be; `ahead` as above, `why` it stayed."""

    branch: str
    base_branch: str
    ahead: int | None = None
    why: str = ""


class PrunePage(Struct, frozen=True, kw_only=True):
    """What pruning takes and what it leaves; after it, what it took and what stayed."""

    project_id: str
    stale_after_days: int
    going: tuple[Candidate, ...]
    kept: tuple[Candidate, ...]
    gone: tuple[KeptBranch, ...] = ()
    stayed: tuple[KeptBranch, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that go, as far as they were measured."""
        return sum(each.known.size or 0 for each in self.going)
