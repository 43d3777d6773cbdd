"""Commit what lies uncommitted in a worktree before somebody decides: decided is on commits."""

from app.errors import Conflict
from app.git.refusals import GitError, GitRefused
from app.tasks import states
from app.tasks.rows import TaskRow, get_task
from app.worktrees.removing import save_work
from app.worktrees.rows import WorktreeRow


async def save_found(task: TaskRow, worktree: WorktreeRow) -> None:
    """409 when somebody else's git is at it, or took the folder away: what was in it is on the branch then."""
    try:
        await save_work(worktree, f"{task.title}\n\nFiles found uncommitted at the review")
    except (GitRefused, GitError, OSError) as error:
        states.after((await get_task(task.id)).column, "approve")
        raise Conflict(f"The work could not be committed just now: {error}", "CHECKOUT_BUSY") from error
