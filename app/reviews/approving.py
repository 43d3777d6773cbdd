"""Approve exactly what was shown: merge it away from every working copy, move the base, and only then say Verified.

Two approvals at once: one takes the worktree from `active` to `merging`, the other gets 409.
"""

from app.clock import now
from app.errors import Conflict
from app.events.recording import Actor
from app.git.advancing import advance
from app.git.commits import Identity
from app.git.merging import merge_commit
from app.git.refusals import GitError, GitRefused
from app.git.repository import Repository, inspect
from app.git.worktrees import delete_branch
from app.ids import create_id
from app.projects.locking import locked
from app.projects.rows import get_project
from app.reviews.comparing import Comparison, compare, has_uncommitted
from app.reviews.forms import Approval
from app.reviews.journal import MergeJournal
from app.reviews.rejecting import record_decision
from app.reviews.tables import Merge
from app.sessions.opening import close_in_lock
from app.tasks import states
from app.tasks.moving import transition
from app.tasks.rows import TaskRow, get_task
from app.worktrees.creating import set_status_in_lock
from app.worktrees.removing import save_work, take_down
from app.worktrees.rows import WorktreeRow, get_worktree
from app.worktrees.tables import Worktree

#: What a refusal of git means to the person who approved.
_CODES = {
    "dirty": "CHECKOUT_DIRTY",
    "in_the_way": "CHECKOUT_DIRTY",
    "not_on_base": "CHECKOUT_DIRTY",
    "busy": "CHECKOUT_BUSY",
    "misconfigured": "CHECKOUT_BUSY",
    "conflict": "WORKTREE_MERGE_CONFLICT",
    "nothing_to_merge": "TASK_NO_DIFF",
}


async def approve(task_id: str, form: Approval, actor: Actor) -> TaskRow:
    """Merge the task's branch into its base branch and verify the task.

    409 with everything as it was: `TASK_STALE_DIFF` when the change is not the one that was shown,
    `WORKTREE_MERGE_CONFLICT`, `CHECKOUT_DIRTY` naming the files in the way, `TASK_NO_DIFF`.
    """
    task = await get_task(task_id)
    states.after(task.column, "approve")
    comparison = await compare(task)
    await _require_as_shown(task, comparison, form.digest)
    await _take(comparison.worktree)
    try:
        merge = None if form.accept_without_merge else await _merge(task, comparison, form, actor)
    except BaseException:
        await _give_back(comparison.worktree)
        raise
    await complete(task, comparison.worktree, merge, actor, digest=comparison.digest)
    await _tidy(task, comparison, actor, merged=merge is not None, keep_branch=form.keep_branch or merge is None)
    return await get_task(task_id)


async def complete(
    task: TaskRow, worktree: WorktreeRow, merge_commit_oid: str | None, actor: Actor, *, digest: str
) -> None:
    """Write that the task is verified, with the decision and the merge commit, in one transaction."""
    async with locked(task.project_id):
        task = await get_task(task.id)
        await transition(task, "approve", actor=actor, position=0, approved_at=now(), approved_by=actor.name)
        payload = {"decision": "approved", "digest": digest, "commit": merge_commit_oid, "base": worktree.base_branch}
        await record_decision(task, actor, payload)
        if task.session_id is not None:
            await close_in_lock(task.session_id, task.project_id, actor=actor)
        await set_status_in_lock(worktree, "active")


async def _require_as_shown(task: TaskRow, comparison: Comparison, digest: str) -> None:
    if digest == comparison.digest and not await has_uncommitted(comparison):
        return
    if await has_uncommitted(comparison):
        await save_work(comparison.worktree, f"{task.title}\n\nFiles found uncommitted at the review")
    raise Conflict(
        "The change is not the one you were shown: the branch, its base or a file moved meanwhile. "
        "Nothing was merged. Look at it again and decide anew.",
        "TASK_STALE_DIFF",
        shown=digest,
        now=comparison.digest,
    )


async def _take(worktree: WorktreeRow) -> None:
    async with locked(worktree.project_id):
        taken = (
            await Worktree.update({Worktree.status: "merging", Worktree.updated_at: now()})
            .where((Worktree.id == worktree.id) & (Worktree.status == "active"))
            .returning(Worktree.id)
        )
        if not taken:
            raise Conflict("Somebody else is deciding on this task right now.", "TASK_INVALID_TRANSITION")


async def _give_back(worktree: WorktreeRow) -> None:
    async with locked(worktree.project_id):
        await set_status_in_lock(await get_worktree(worktree.id), "active")


async def _merge(task: TaskRow, comparison: Comparison, form: Approval, actor: Actor) -> str:
    if comparison.nothing_to_merge:
        raise Conflict(
            "The branch brings nothing that its base has not. Accept it without a merge, or request changes.",
            "TASK_NO_DIFF",
        )
    if comparison.conflicts:
        paths = sorted({conflict.path for conflict in comparison.conflicts})
        raise Conflict(
            f"The branch does not merge into {comparison.worktree.base_branch}: {_listed(paths)} conflict. "
            "Nothing was changed.",
            "WORKTREE_MERGE_CONFLICT",
            paths=paths,
        )
    repository = await inspect((await get_project(task.project_id)).root)
    try:
        return await _advance(task, comparison, form, actor, repository)
    except GitRefused as refusal:
        code = _CODES.get(refusal.reason, "TASK_STALE_DIFF")
        files = f" ({_listed(list(refusal.paths))})" if refusal.paths else ""
        raise Conflict(f"Nothing was merged: {refusal}{files}", code, paths=list(refusal.paths)) from refusal


async def _advance(task: TaskRow, comparison: Comparison, form: Approval, actor: Actor, repository: Repository) -> str:
    identity = _identity(repository, actor)
    message = form.message.strip() or default_message(task, actor.name)
    new = await merge_commit(
        comparison.root, form.merge_method, comparison.base, comparison.head, message, author=identity
    )
    merge_id = create_id()
    await Merge.insert(
        Merge(
            id=merge_id,
            project_id=task.project_id,
            task_id=task.id,
            digest=comparison.digest,
            method=form.merge_method,
            base_branch=comparison.worktree.base_branch,
            branch=comparison.worktree.branch,
            old_oid=comparison.base,
            new_oid=new,
            merged_by=actor.name,
        )
    )
    journal = MergeJournal(merge_id)
    try:
        await advance(repository, comparison.worktree.base_branch, comparison.base, new, journal)
    except GitRefused:
        await journal.refuse()
        raise
    await journal.done()
    return new


async def _tidy(task: TaskRow, comparison: Comparison, actor: Actor, *, merged: bool, keep_branch: bool) -> None:
    """Remove the worktree, and the branch unless it is to stay. What cannot be removed stays and says why."""
    worktree = await get_worktree(comparison.worktree.id)
    try:
        await take_down(worktree, actor=actor, merged=merged)
        if not keep_branch:
            repository = await inspect((await get_project(task.project_id)).root)
            await delete_branch(repository, worktree.branch, comparison.head, f"refs/agentpane/archive/{task.id}")
    except (Conflict, GitRefused, GitError) as error:
        async with locked(task.project_id):
            await set_status_in_lock(await get_worktree(worktree.id), "error", str(error))


def default_message(task: TaskRow, approver: str) -> str:
    """What a merge commit says unless the approver writes something else."""
    return f"{task.title}\n\nTask {task.id[:6]}, approved by {approver}"


def _identity(repository: Repository, actor: Actor) -> Identity:
    """Merges are signed with the repository's own identity, else with the approver's name."""
    if repository.user_name and repository.user_email:
        return Identity(repository.user_name, repository.user_email)
    return Identity(actor.name, "agentpane@localhost")


def _listed(paths: list[str]) -> str:
    shown = ", ".join(paths[:5])
    return shown if len(paths) <= 5 else f"{shown} and {len(paths) - 5} more"
