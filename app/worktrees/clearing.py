"""Remove a worktree that no row knows, once its work is committed to its branch; its branch stays."""

import asyncio
from pathlib import Path

from msgspec import Struct

from app.errors import Conflict
from app.events.recording import Actor, record
from app.git.commits import Identity
from app.git.refs import current_branch, resolve
from app.git.refusals import GitError, GitRefused
from app.git.removing import remove
from app.git.repository import inspect
from app.git.snapshots import save
from app.processes.trees import working_in
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from app.worktrees.surveying import Stray, survey

AUTHOR = Identity("AgentPane", "agentpane@localhost")


class Cleared(Struct, frozen=True):
    """The branch that keeps the work, and where it ends."""

    branch: str
    commit: str


async def clear(project: ProjectRow, path: str, head: str, actor: Actor) -> Cleared:
    """Save and remove the stray at `path`, if its commit is still `head`. 409 with everything as it was otherwise.

    It may belong to another AgentPane on this repository, so one in which a program works is left alone.
    """
    stray = next((each for each in (await survey(project)).strays if each.path == path), None)
    if stray is None or stray.head != head:
        raise Conflict("This worktree is not as you were shown. Look at the list again.", "CONFLICT")
    if stray.branch is None:
        raise Conflict(f"{path} has no branch checked out, so its commits would be lost. Give it one.", "CONFLICT")
    if pids := await asyncio.to_thread(working_in, Path(path)):
        raise Conflict(f"Process {pids[0]} works in {path}. It may be another AgentPane's.", "CONFLICT")
    try:
        return await _clear(project, stray, stray.branch, actor)
    except (GitRefused, GitError) as error:
        raise Conflict(f"The worktree could not be removed: {error}", "WORKTREE_NOT_REMOVED") from error


async def _clear(project: ProjectRow, stray: Stray, branch: str, actor: Actor) -> Cleared:
    repository, path = await inspect(project.root), Path(stray.path)
    if not stray.is_missing and await current_branch(path) == branch:
        await save(path, "Save work before the worktree is removed", AUTHOR)
    await remove(repository, path, stray.lock_reason, branch)
    commit = await resolve(repository.root, f"refs/heads/{branch}") or stray.head
    async with locked(project.id):
        await record(
            project.id, "project.worktree_cleared", actor=actor, subject=project.id,
            payload={"path": stray.path, "branch": branch, "commit": commit},
        )  # fmt: skip
    return Cleared(branch, commit)
