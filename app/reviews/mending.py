"""After a start: merges that a crash cut off are finished from their journal, or taken back where nothing had moved."""

import logging

from app.events.recording import SYSTEM, Actor, record
from app.git.mending import release_locks
from app.git.refusals import GitError, GitRefused
from app.git.repository import Repository, inspect
from app.postgres.reading import rows
from app.projects.locking import locked
from app.projects.rows import all_projects, get_project
from app.reviews.approving import complete, tidy
from app.reviews.checking import cut_off_checks
from app.reviews.deciding import Seen, record_merge
from app.reviews.journal import MergeJournal
from app.reviews.settling import OpenMerge, open_merges, settle
from app.reviews.undoing import Undo, complete_undo
from app.tasks.rows import get_task
from app.worktrees.finishing import being_removed, finish_removals
from app.worktrees.merging import give_back
from app.worktrees.rows import SELECT_WORKTREE, WorktreeRow, get_worktree

log = logging.getLogger(__name__)


async def mend_merges() -> None:
    """Finish or take back every open merge, then free what a crash left held. Call before the engine."""
    for merge in await open_merges():
        try:
            await _mend(merge)
        except (GitRefused, GitError) as error:
            log.error("the merge %s of a crashed server could not be mended: %s", merge.id, error)
    await cut_off_checks()
    await _free_worktrees()
    await finish_removals(await being_removed())
    await _release_locks()


async def _mend(merge: OpenMerge) -> None:
    repository = await inspect((await get_project(merge.project_id)).root)
    journal = MergeJournal(merge.id, merge.new_oid)
    try:
        is_merged = await settle(repository, merge)
    except GitRefused as refusal:
        if refusal.reason != "dirty":
            raise
        # Files that a person has changed since show as their edits; the base has not moved, so nothing is merged.
        log.warning("the merge %s was given up: %s", merge.id, refusal)
        is_merged = False
    if is_merged and merge.kind == "undo":
        await _finish_undo(repository, merge, journal)
    elif is_merged:
        await _finish(merge, journal)
    else:
        await journal.refuse()


async def _finish(merge: OpenMerge, journal: MergeJournal) -> None:
    log.warning("the merge %s was finished after a crash", merge.id)
    task = await get_task(merge.task_id) if merge.task_id else None
    approver = Actor("person", merge.merged_by)
    if task is None or task.column != "waiting_approval" or task.worktree_id is None:
        await _end(merge, journal, approver)
        return
    worktree = await get_worktree(task.worktree_id)
    despite = tuple((merge.reason or "").splitlines())
    seen = Seen(base_branch=merge.base_branch, base=merge.old_oid, head=merge.branch_oid or "", digest=merge.digest)
    await complete(task, worktree, journal, approver, seen=seen, despite=despite)
    # Whether the branch was to be kept is not known any more, so it is kept.
    await tidy(task, worktree, approver, merged=True)


async def _finish_undo(repository: Repository, merge: OpenMerge, journal: MergeJournal) -> None:
    log.warning("the undo %s was finished after a crash", merge.id)
    task = await get_task(merge.task_id) if merge.task_id else None
    person, planned = Actor("person", merge.merged_by), Undo(merge.new_oid, merge.branch_oid)
    if task is None or task.column != "verified":
        await _end(merge, journal, person)
        return
    await complete_undo(repository, task, merge.branch, planned, journal, merge.reason or "", person)


async def _end(merge: OpenMerge, journal: MergeJournal, person: Actor) -> None:
    """The base branch has moved, and no task is left that would have to."""
    async with locked(merge.project_id):
        await journal.done()
        head = await record_merge(merge.project_id, merge.id, person)
        payload = {"chain": {"number": head.number, "hash": head.hash}}
        await record(merge.project_id, "merge.finished", actor=SYSTEM, subject=merge.id, payload=payload)


async def _free_worktrees() -> None:
    """Worktrees in `merging` whose merge has ended, or never began."""
    held = await rows(
        WorktreeRow,
        f"{SELECT_WORKTREE} WHERE status = 'merging' AND NOT EXISTS (SELECT 1 FROM merges m"  # noqa: S608
        " WHERE m.task_id = worktrees.task_id AND m.status IN ('prepared', 'advancing'))",
    )
    for worktree in held:
        await give_back(worktree)


async def _release_locks() -> None:
    """Locks on an index that a crash of ours left before anything was journaled; a person's own stay."""
    for project in await all_projects():
        try:
            for path in await release_locks(await inspect(project.root)):
                log.warning("a lock that a crash left was released: %s", path)
        except (GitRefused, GitError) as error:
            log.warning("the repository of project %s could not be looked at: %s", project.name, error)
