"""Have a step of a worktree carried out again, as when env files have changed: the next run begins with it."""

from app.errors import Conflict, NotFound
from app.events.recording import Actor, record
from app.postgres.reading import execute
from app.projects.locking import locked
from app.worktrees.reconciling import is_at_work
from app.worktrees.rows import STEPS, WorktreeRow, get_worktree


async def repeat(worktree_id: str, name: str, actor: Actor) -> WorktreeRow:
    """Put a step back to `pending`. 409 while an agent works there, and in any state but `active`; the first step is
    done again by making the worktree again."""
    if name not in STEPS[1:]:
        raise NotFound("There is no such step.", "NOT_FOUND")
    worktree = await get_worktree(worktree_id)
    async with locked(worktree.project_id):
        worktree = await get_worktree(worktree_id)
        if await is_at_work(worktree):
            raise Conflict("An agent is at work in this worktree. Stop it first.", "AGENT_ALREADY_RUNNING")
        if worktree.status != "active":
            raise Conflict(f"This worktree is {worktree.status}.", "WORKTREE_INVALID_TRANSITION")
        await execute(
            "UPDATE worktree_steps SET status = 'pending', log = NULL, started_at = NULL, completed_at = NULL"
            " WHERE worktree_id = $1 AND name = $2",
            worktree.id,
            name,
        )
        await record(
            worktree.project_id, "worktree.step", actor=actor, subject=worktree.task_id,
            payload={"worktree": worktree.id, "step": name, "status": "pending"},
        )  # fmt: skip
    return worktree
