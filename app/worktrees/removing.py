"""Take a worktree down without losing a line: its work is committed first, its branch stays unless it was merged."""

from typing import Any

from app.clock import now
from app.errors import Conflict
from app.events.recording import SYSTEM, Actor
from app.git.commits import Identity
from app.git.refs import current_branch
from app.git.refusals import GitError, GitRefused
from app.git.removing import remove, take_back_removal
from app.git.repository import Repository, inspect
from app.git.snapshots import save
from app.projects.locking import locked
from app.projects.rows import get_project
from app.worktrees.rows import WorktreeRow, get_worktree
from app.worktrees.states import change
from app.worktrees.using import needed_by

#: Worktrees that this process is taking down now.
TAKING_DOWN: set[str] = set()
AGENT_IDENTITY = Identity("AgentPane", "agentpane@localhost")


async def save_work(worktree: WorktreeRow, message: str, author: Identity = AGENT_IDENTITY) -> str | None:
    """Commit whatever lies uncommitted in the worktree; the new commit, or None. No process works there."""
    if not worktree.root.is_dir():
        return None
    saved = await save(worktree.root, message, author, break_locks=True)
    return saved.commit


async def begin_removal_in_lock(worktree_id: str, actor: Actor) -> None:
    """From now on no run begins in the worktree; `take_down` must follow. The caller holds the project's lock."""
    worktree = await get_worktree(worktree_id)
    if worktree.status not in ("removing", "removed"):
        await change(worktree, "remove", actor=actor)


async def take_down(worktree: WorktreeRow, *, actor: Actor = SYSTEM, merged: bool = False) -> None:
    """Save, remove the folder, keep the branch. Raises 409 with what is in the way; retry helps."""
    TAKING_DOWN.add(worktree.id)
    try:
        await _take_down(worktree, actor, merged)
    finally:
        TAKING_DOWN.discard(worktree.id)


async def _take_down(worktree: WorktreeRow, actor: Actor, merged: bool) -> None:
    project = await get_project(worktree.project_id)
    repository = await inspect(project.root)
    async with locked(worktree.project_id):
        await begin_removal_in_lock(worktree.id, actor)
    try:
        await _remove(worktree, repository)
    except (GitRefused, GitError) as error:
        async with locked(worktree.project_id):
            await change(worktree, "fail", error=str(error))
        raise Conflict(f"The worktree could not be removed: {error}", "WORKTREE_NOT_REMOVED") from error
    async with locked(worktree.project_id):
        # Two may take it down at once, a cancel and a start that finishes removals: git does it once.
        if (await get_worktree(worktree.id)).status != "removed":
            ended: dict[str, Any] = {"removed_at": now()} | ({"merged_at": now()} if merged else {})
            await change(worktree, "vanish", actor=actor, **ended)


async def _remove(worktree: WorktreeRow, repository: Repository) -> None:
    await take_back_removal(repository, worktree.root, worktree.lock_reason)
    if worktree.root.is_dir() and await current_branch(worktree.root) == worktree.branch:
        await save_work(worktree, "Save work before the worktree is removed")
    await remove(repository, worktree.root, worktree.lock_reason, worktree.branch)


async def remove_by_hand(worktree_id: str, actor: Actor = SYSTEM) -> WorktreeRow:
    """The form on the worktrees page: refused while it is needed."""
    worktree = await get_worktree(worktree_id)
    if worktree.status == "removed":
        raise Conflict("This worktree is removed already.", "WORKTREE_NOT_FOUND")
    await remove_unused(worktree, actor)
    return await get_worktree(worktree_id)


async def remove_unused(worktree: WorktreeRow, actor: Actor) -> None:
    """Take down what no task and no open session needs; from the moment of that look on, no run begins there."""
    async with locked(worktree.project_id):
        if who := await needed_by(worktree.id):
            raise Conflict(f"{who} works in this worktree. Cancel or close that instead.", "CONFLICT")
        await change(worktree, "remove", actor=actor)
    await take_down(await get_worktree(worktree.id), actor=actor)
