"""Make a worktree again that is not as its row says: from its branch, with nothing of it lost."""

from app.errors import Conflict
from app.events.recording import Actor
from app.git.checkouts import absolute, lock_of
from app.git.refusals import GitError, GitRefused
from app.git.repository import inspect
from app.git.running import git
from app.postgres.reading import scalar
from app.projects.rows import get_project
from app.worktrees.creating import SetupFailed, prepare
from app.worktrees.reconciling import is_at_work
from app.worktrees.rows import StepName, WorktreeRow, get_worktree
from app.worktrees.surveying import Problem, sentence, survey

#: What is done at once. Installing takes long, and waits for the next run, which carries out what is missing.
AT_ONCE: tuple[StepName, ...] = ("add", "env")


async def restore(worktree_id: str, actor: Actor) -> WorktreeRow:
    """The worktree, whole again and `active`. 409 while an agent works in it, or with what keeps it from being made."""
    worktree = await get_worktree(worktree_id)
    project = await get_project(worktree.project_id)
    if await is_at_work(worktree):
        raise Conflict("An agent is at work in this worktree. Stop it first.", "AGENT_ALREADY_RUNNING")
    if await _is_done(worktree):
        raise Conflict(
            "Its task is verified, so nobody will work in it again. Remove it instead.", "WORKTREE_INVALID_TRANSITION"
        )
    found = await survey(project)
    problem = found.lost.get(worktree.id)
    if found.error:
        raise Conflict(f"The repository cannot be looked at: {found.error}", "WORKTREE_NOT_MADE")
    if problem == "unknown":
        raise Conflict(sentence(problem, worktree.path), "WORKTREE_NOT_MADE")
    if problem is None and worktree.status not in ("error", "creating"):
        raise Conflict("There is nothing to mend in this worktree.", "WORKTREE_INVALID_TRANSITION")
    try:
        await _link(worktree, problem)
        return await prepare(worktree.id, {}, steps=AT_ONCE, actor=actor)
    except (GitRefused, GitError, SetupFailed) as error:
        raise Conflict(f"The worktree could not be made again: {error}", "WORKTREE_NOT_MADE") from error


async def _is_done(worktree: WorktreeRow) -> bool:
    query = "SELECT 1 FROM tasks WHERE id = $1 AND \"column\" = 'verified'"
    return bool(await scalar(query, worktree.task_id))


async def _link(worktree: WorktreeRow, problem: Problem | None) -> None:
    """Tell git where a folder is that was moved, or lock again what is there."""
    repository = await inspect((await get_project(worktree.project_id)).root)
    path = absolute(worktree.root)
    async with lock_of(repository):
        if problem == "moved":
            # First the links in folders that git has in their place, then the place of this one.
            await git(repository.root, "worktree", "repair", check=False)
            await git(repository.root, "worktree", "repair", path)
        elif problem == "unmarked":
            await git(repository.root, "worktree", "lock", "--reason", worktree.lock_reason, path)
