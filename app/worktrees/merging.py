"""The state `merging`: one approval holds the worktree, and nobody else decides on its task meanwhile."""

from app.clock import now
from app.errors import Conflict
from app.projects.locking import locked
from app.worktrees.creating import set_status_in_lock
from app.worktrees.rows import WorktreeRow, get_worktree
from app.worktrees.tables import Worktree


async def hold_in_lock(worktree: WorktreeRow) -> None:
    """From `active` to `merging`; 409 when somebody else was quicker. The caller holds the project's lock."""
    held = (
        await Worktree.update({Worktree.status: "merging", Worktree.updated_at: now()})
        .where((Worktree.id == worktree.id) & (Worktree.status == "active"))
        .returning(Worktree.id)
    )
    if not held:
        raise _somebody_else()


async def give_back(worktree: WorktreeRow) -> None:
    """From `merging` to `active`: nothing was merged."""
    async with locked(worktree.project_id):
        await set_status_in_lock(await get_worktree(worktree.id), "active")


async def require_not_merging(worktree_id: str | None) -> None:
    """409 while an approval merges the work. The caller holds the project's lock."""
    if worktree_id is not None and (await get_worktree(worktree_id)).status == "merging":
        raise _somebody_else()


def _somebody_else() -> Conflict:
    return Conflict("Somebody else is deciding on this task right now.", "TASK_INVALID_TRANSITION")
