"""Merge what was approved away from every working copy, and move the base branch to it."""

import logging

from app.errors import Conflict
from app.events.recording import Actor
from app.git.advancing import advance
from app.git.commits import Identity, wants_signing
from app.git.diffs import printable
from app.git.merging import merge_commit
from app.git.refusals import GitError, GitRefused
from app.git.repository import Repository, inspect
from app.ids import create_id
from app.postgres.patience import patiently
from app.projects.rows import get_project
from app.reviews.comparing import Comparison
from app.reviews.conflicts import described
from app.reviews.forms import Approval
from app.reviews.journal import MergeJournal
from app.reviews.settling import open_merges, settle
from app.reviews.tables import Merge
from app.tasks.rows import TaskRow

log = logging.getLogger(__name__)

#: What a refusal of git means to the person who approved.
_CODES = {
    "dirty": "CHECKOUT_DIRTY",
    "in_the_way": "CHECKOUT_DIRTY",
    "not_on_base": "CHECKOUT_DIRTY",
    "busy": "CHECKOUT_BUSY",
    "misconfigured": "CHECKOUT_BUSY",
    "conflict": "WORKTREE_MERGE_CONFLICT",
    "nothing_to_merge": "TASK_NO_DIFF",
    "signing_failed": "SIGNING_FAILED",
}


async def merge_branch(
    task: TaskRow, comparison: Comparison, form: Approval, actor: Actor, despite: tuple[str, ...] = ()
) -> MergeJournal:
    """Merge exactly what was compared into its base branch; the journal stays open. 409 with everything as it was.

    `despite` is what speaks against it, for the record.
    """
    if comparison.nothing_to_merge:
        raise Conflict(
            "The branch brings nothing that its base has not. Accept it without a merge, or request changes.",
            "TASK_NO_DIFF",
        )
    if comparison.conflicts:
        paths = sorted({printable(conflict.path) for conflict in comparison.conflicts})
        raise Conflict(
            f"The branch does not merge into {comparison.worktree.base_branch}: {listed(paths)} conflict. "
            "Nothing was changed.",
            "WORKTREE_MERGE_CONFLICT",
            paths=paths,
            conflicts=described(comparison.conflicts),
        )
    repository = await inspect((await get_project(task.project_id)).root)
    try:
        return await _advance(task, comparison, form, actor, repository, despite)
    except GitRefused as refusal:
        raise refusal_of(refusal, "Nothing was merged") from refusal


def refusal_of(refusal: GitRefused, what: str) -> Conflict:
    """What git refused, as the person who decided reads it: what did not happen, why, and the files in the way."""
    code = _CODES.get(refusal.reason, "TASK_STALE_DIFF")
    paths = [printable(path) for path in refusal.paths]
    files = f" ({listed(paths)})" if paths else ""
    return Conflict(f"{what}: {printable(refusal.message)}{files}", code, paths=paths)


async def _advance(
    task: TaskRow,
    comparison: Comparison,
    form: Approval,
    actor: Actor,
    repository: Repository,
    despite: tuple[str, ...],
) -> MergeJournal:
    message = form.message.strip() or default_message(task, actor.name)
    author = identity_of(repository, actor)
    new = await merge_commit(
        comparison.root,
        form.merge_method,
        comparison.base,
        comparison.head,
        message,
        author=author,
        sign=await wants_signing(repository.root),
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
            branch_oid=comparison.head,
            reason="\n".join(despite) or None,
            merged_by=actor.name,
        )
    )
    journal = MergeJournal(merge_id, new)
    try:
        await advance(repository, comparison.worktree.base_branch, comparison.base, new, journal)
    except GitRefused:
        await journal.refuse()
        raise
    except Exception as error:
        if not await is_settled(repository, merge_id, error):
            await journal.refuse()
            raise
    return journal


async def is_settled(repository: Repository, merge_id: str, error: Exception) -> bool:
    """Whether a merge that broke off (a full disk, the database away) is in after all; `HalfDone` when nobody knows."""
    log.error("the merge %s broke off; finishing it", merge_id, exc_info=error)
    try:
        merge = next(each for each in await patiently(open_merges) if each.id == merge_id)
        return await settle(repository, merge)
    except (GitRefused, GitError, OSError) as half_done:
        raise HalfDone(
            f"The merge broke off and could not be finished: {half_done}. "
            "When the reason is gone, start AgentPane again: it finishes the merge.",
            "CHECKOUT_BUSY",
        ) from error


class HalfDone(Conflict):
    """Files of the checkout changed and the merge is not in: the worktree stays held until a start mends it."""


def default_message(task: TaskRow, approver: str) -> str:
    """What a merge commit says unless the approver writes something else."""
    return f"{task.title}\n\nTask {task.id[:6]}, approved by {approver}"


def identity_of(repository: Repository, actor: Actor) -> Identity:
    """Merges carry the repository's own identity, else the approver's name."""
    if repository.user_name and repository.user_email:
        return Identity(repository.user_name, repository.user_email)
    return Identity(actor.name, "agentpane@localhost")


def listed(paths: list[str]) -> str:
    """The first of `paths`, and how many more there are."""
    shown = ", ".join(paths[:5])
    return shown if len(paths) <= 5 else f"{shown} and {len(paths) - 5} more"
