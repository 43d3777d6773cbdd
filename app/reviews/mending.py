"""After a start: merges that a crash cut off are finished from their journal, or taken back where nothing had moved."""

import logging
from pathlib import Path

from msgspec import Struct

from app.events.recording import Actor
from app.git.mending import mend, release_locks
from app.git.refs import resolve
from app.git.refusals import GitError, GitRefused
from app.git.repository import inspect
from app.postgres.reading import rows
from app.projects.locking import locked
from app.projects.rows import all_projects, get_project
from app.reviews.approving import complete
from app.reviews.journal import MergeJournal
from app.tasks.rows import get_task
from app.worktrees.creating import set_status_in_lock
from app.worktrees.rows import SELECT_WORKTREE, WorktreeRow, get_worktree

log = logging.getLogger(__name__)


class OpenMerge(Struct, frozen=True, kw_only=True):
    """A row of `merges` that nobody finished."""

    id: str
    project_id: str
    task_id: str | None
    digest: str
    base_branch: str
    old_oid: str
    new_oid: str
    checkout: str | None
    status: str
    merged_by: str


async def mend_merges() -> None:
    """Finish or take back every open merge, then free worktrees left in `merging`. Call before the engine."""
    for merge in await rows(
        OpenMerge,
        "SELECT id, project_id, task_id, digest, base_branch, old_oid, new_oid, checkout, status, merged_by"
        " FROM merges WHERE status IN ('prepared', 'advancing') ORDER BY created_at",
    ):
        try:
            await _mend(merge)
        except (GitRefused, GitError) as error:
            log.error("the merge %s of a crashed server could not be mended: %s", merge.id, error)
    await _free_worktrees()
    await _release_locks()


async def _mend(merge: OpenMerge) -> None:
    project = await get_project(merge.project_id)
    repository = await inspect(project.root)
    if merge.status == "advancing" and merge.checkout is not None:
        await mend(Path(merge.checkout), merge.base_branch, merge.old_oid, merge.new_oid)
    journal = MergeJournal(merge.id)
    if await resolve(repository.root, f"refs/heads/{merge.base_branch}") != merge.new_oid:
        await journal.refuse()
        return
    await journal.done()
    log.warning("the merge %s was finished after a crash", merge.id)
    task = await get_task(merge.task_id) if merge.task_id else None
    if task is not None and task.column == "waiting_approval" and task.worktree_id:
        worktree = await get_worktree(task.worktree_id)
        await complete(task, worktree, merge.new_oid, Actor("person", merge.merged_by), digest=merge.digest)


async def _release_locks() -> None:
    """Locks on an index that a crash of ours left before anything was journaled; a person's own stay."""
    for project in await all_projects():
        try:
            for path in await release_locks(await inspect(project.root)):
                log.warning("a lock that a crash left was released: %s", path)
        except (GitRefused, GitError) as error:
            log.warning("the repository of project %s could not be looked at: %s", project.name, error)


async def _free_worktrees() -> None:
    for worktree in await rows(WorktreeRow, f"{SELECT_WORKTREE} WHERE status = 'merging'"):
        async with locked(worktree.project_id):
            await set_status_in_lock(worktree, "active")
