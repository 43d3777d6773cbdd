"""The state `merging`: one approval holds the worktree, and nobody else decides on its task meanwhile."""

from app.errors import Conflict
from app.events.recording import SYSTEM, Actor
from app.projects.locking import locked
from app.worktrees.rows import WorktreeRow, get_worktree
from app.worktrees.states import change


async def hold_in_lock(worktree: WorktreeRow, actor: Actor = SYSTEM) -> None:
    """From `active` to `merging`; 409 when somebody else was quicker. The caller holds the project's lock."""
    if (await get_worktree(worktree.id)).status == "merging":
        raise _somebody_else()
    await change(worktree, "hold", actor=actor)


async def give_back(worktree: WorktreeRow) -> None:
    """From `merging` to `active`: nothing was merged."""
    async with locked(worktree.project_id):
        await change(worktree, "give_back")


async def require_not_merging(worktree_id: str | None) -> None:
    """409 while an approval merges the work. The caller holds the project's lock."""
    if worktree_id is not None and (await get_worktree(worktree_id)).status == "merging":
        raise _somebody_else()


def _somebody_else() -> Conflict:
    return Conflict("Somebody else is deciding on this task right now.", "TASK_INVALID_TRANSITION")
