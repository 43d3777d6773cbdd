"""Approve exactly what was shown: merge it away from every working copy, move the base, and only then say Verified.

Two approvals at once: one takes the worktree from `active` to `merging`, the other gets 409.
"""

import logging
from typing import Any

from app.clock import now
from app.errors import Conflict
from app.events.recording import Actor
from app.git.finishing import uninterrupted
from app.git.refusals import GitError, GitRefused
from app.git.repository import inspect
from app.git.worktrees import delete_branch
from app.postgres.patience import patiently
from app.projects.locking import locked
from app.projects.rows import get_project
from app.reviews.checking import speaking_against
from app.reviews.comparing import Comparison, compare, has_uncommitted
from app.reviews.deciding import Seen, record_decision, record_merge, seen_in
from app.reviews.forms import Approval
from app.reviews.journal import MergeJournal
from app.reviews.merging import HalfDone, listed, merge_branch
from app.reviews.saving import save_found
from app.reviews.turns import turn_of
from app.sessions.opening import close_in_lock
from app.tasks import states
from app.tasks.moving import transition
from app.tasks.rows import TaskRow, get_task
from app.worktrees.merging import give_back, hold_in_lock, require_not_merging
from app.worktrees.removing import take_down
from app.worktrees.rows import WorktreeRow, get_worktree
from app.worktrees.states import change

log = logging.getLogger(__name__)


async def approve(task_id: str, form: Approval, actor: Actor) -> TaskRow:
    """Merge the task's branch into its base branch and verify the task.

    409 with everything as it was: `TASK_STALE_DIFF` when the change is not the one that was shown,
    `WORKTREE_MERGE_CONFLICT`, `CHECKOUT_DIRTY` naming the files in the way, `CHECKOUT_BUSY`, `TASK_NO_DIFF`,
    `SIGNING_FAILED`, `CHECKS_FAILED`.
    """
    task = await get_task(task_id)
    states.after(task.column, "approve")
    await require_not_merging(task.worktree_id)
    comparison = await compare(task)
    await _require_as_shown(task, comparison, form)
    despite = () if form.accept_without_merge else await _require_sound(comparison, form.despite_checks)
    # A browser that goes away must not leave a merge in the base branch and the task waiting.
    await uninterrupted(_approve(task, comparison, form, actor, despite))
    return await get_task(task_id)


async def _approve(
    task: TaskRow, comparison: Comparison, form: Approval, actor: Actor, despite: tuple[str, ...]
) -> None:
    await _hold(task, comparison.worktree, actor)
    async with turn_of(task.project_id):
        try:
            journal = None if form.accept_without_merge else await merge_branch(task, comparison, form, actor, despite)
        except HalfDone:
            raise
        except BaseException:
            await patiently(lambda: give_back(comparison.worktree))
            raise
        await patiently(
            lambda: complete(task, comparison.worktree, journal, actor, seen=seen_in(comparison), despite=despite)
        )
    delete = comparison.head if journal is not None and not form.keep_branch else None
    await tidy(task, comparison.worktree, actor, merged=journal is not None, delete_branch_at=delete)


async def complete(
    task: TaskRow,
    worktree: WorktreeRow,
    journal: MergeJournal | None,
    actor: Actor,
    *,
    seen: Seen,
    despite: tuple[str, ...] = (),
) -> None:
    """Write that the task is verified, with the decision and the merge's end, in one transaction."""
    async with locked(task.project_id):
        task = await get_task(task.id)
        await transition(task, "approve", actor=actor, position=0, approved_at=now(), approved_by=actor.name)
        if journal is not None:
            await journal.done()
            await record_merge(task.project_id, journal.id, actor)
        commit = journal.new_oid if journal is not None else None
        payload: dict[str, Any] = {
            "decision": "approved", "digest": seen.digest, "commit": commit, "base": worktree.base_branch,
            "despite": list(despite),
        }  # fmt: skip
        await record_decision(task, actor, payload, seen)
        if task.session_id is not None:
            await close_in_lock(task.session_id, task.project_id, actor=actor)
        await change(worktree, "merge", actor=actor)


async def _require_as_shown(task: TaskRow, comparison: Comparison, form: Approval) -> None:
    is_uncommitted = await has_uncommitted(comparison)
    if form.digest == comparison.digest and not is_uncommitted:
        return
    if is_uncommitted:
        await save_found(task, comparison.worktree)
    moved = [
        f"{name} was at {shown[:10]} and is now at {now[:10]}"
        for name, shown, now in (
            (comparison.worktree.base_branch, form.base_oid, comparison.base),
            (comparison.worktree.branch, form.head_oid, comparison.head),
        )
        if shown and shown != now
    ]
    what = "; ".join(moved) or "the branch, its base or a file moved meanwhile"
    raise Conflict(
        f"The change is not the one you were shown: {what}. Nothing was merged. Look at it again and decide anew.",
        "TASK_STALE_DIFF",
        shown=form.digest,
        now=comparison.digest,
        base={"shown": form.base_oid, "now": comparison.base},
        head={"shown": form.head_oid, "now": comparison.head},
    )


async def _require_sound(comparison: Comparison, despite: bool) -> tuple[str, ...]:
    """What speaks against the merge, for the record when it is done `despite` that; 409 `CHECKS_FAILED` else."""
    found = await speaking_against(comparison)
    if found and not despite and not comparison.conflicts and not comparison.nothing_to_merge:
        raise Conflict(
            f"Checks speak against this merge: {listed(list(found))}. Nothing was merged. Send the work back, or tick "
            "that it is to be merged all the same.",
            "CHECKS_FAILED",
            failed=list(found),
        )
    return found


async def _hold(task: TaskRow, worktree: WorktreeRow, actor: Actor) -> None:
    async with locked(task.project_id):
        states.after((await get_task(task.id)).column, "approve")
        await hold_in_lock(worktree, actor)


async def tidy(
    task: TaskRow, worktree: WorktreeRow, actor: Actor, *, merged: bool, delete_branch_at: str | None = None
) -> None:
    """Remove the worktree, and its branch if that is still at `delete_branch_at`. What cannot be removed stays and
    says why."""
    try:
        await take_down(await get_worktree(worktree.id), actor=actor, merged=merged)
        if delete_branch_at is not None:
            repository = await inspect((await get_project(task.project_id)).root)
            await delete_branch(repository, worktree.branch, delete_branch_at, f"refs/agentpane/archive/{task.id}")
    except (Conflict, GitRefused, GitError) as error:
        log.warning("after the approval of task %s something was kept: %s", task.id, error)
