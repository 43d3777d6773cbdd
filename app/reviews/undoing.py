"""Take an approved merge back: a revert commit on the base branch, the task open again, its branch restored.

The base advances as it does for a merge, with the same journal, so a server that ends in the middle finishes the undo
at its next start.
"""

import msgspec
from msgspec import Struct

from app.errors import Conflict
from app.events.recording import Actor
from app.git.advancing import advance
from app.git.checkouts import holders
from app.git.commits import Identity, wants_signing
from app.git.finishing import uninterrupted
from app.git.refs import ABSENT, is_ancestor, move_ref, resolve
from app.git.refusals import GitRefused
from app.git.repository import Repository, branch_oid, inspect
from app.git.undoing import revert_commit, revived_branch
from app.ids import create_id
from app.postgres.patience import patiently
from app.postgres.reading import execute, one
from app.projects.locking import locked
from app.projects.rows import get_project
from app.reviews.deciding import record_decision, record_merge
from app.reviews.journal import MergeJournal
from app.reviews.merging import identity_of, is_settled, refusal_of
from app.reviews.tables import Merge
from app.tasks import states
from app.tasks.moving import transition
from app.tasks.rows import Pending, TaskRow, get_task


class Merged(Struct, frozen=True):
    """The merge by which a verified task came into its base branch."""

    id: str
    method: str
    base_branch: str
    branch: str
    old_oid: str
    new_oid: str


class Undo(Struct, frozen=True):
    """What an undo writes to the base branch, and where the task's branch goes on from."""

    revert: str
    #: None where no commit of the branch is left to be found.
    tip: str | None


async def merge_of(task: TaskRow) -> Merged | None:
    """The merge of a verified task; None when it was accepted without one."""
    return await one(
        Merged,
        "SELECT id, method, base_branch, branch, old_oid, new_oid FROM merges"
        " WHERE task_id = $1 AND kind = 'merge' AND status = 'done' ORDER BY created_at DESC LIMIT 1",
        task.id,
    )


async def undo(task_id: str, reason: str, actor: Actor) -> TaskRow:
    """Verified to Backlog, with `reason` as what the next run is told. Later work on the base branch stays.

    409 with everything as it was: `UNDO_CONFLICT` when later work builds on the merge, `MERGE_NOT_FOUND` when the base
    branch holds it no more, `CHECKOUT_DIRTY` naming the files in the way, `CHECKOUT_BUSY`.
    A task that was accepted without a merge is only opened again.
    """
    task = await get_task(task_id)
    states.after(task.column, "undo")
    merge = await merge_of(task)
    if merge is None:
        await reopen(task, reason, actor, branch=task.branch, commit=None)
    else:
        await uninterrupted(_take_back(task, merge, reason, actor))
    return await get_task(task_id)


async def _take_back(task: TaskRow, merge: Merged, reason: str, actor: Actor) -> None:
    repository = await inspect((await get_project(task.project_id)).root)
    try:
        await _require_free_branch(repository, merge.branch)
        base = await branch_oid(repository, merge.base_branch)
        if base is None:
            raise GitRefused("moved", f"There is no branch {merge.base_branch} any more.")
        planned = await plan(repository, task, merge, base, reason, actor)
        journal = await _advance(repository, task, merge, base, planned, reason, actor)
    except GitRefused as refusal:
        raise _worded(refusal) from refusal
    await patiently(lambda: complete_undo(repository, task, merge.branch, planned, journal, reason, actor))


async def _require_free_branch(repository: Repository, branch: str) -> None:
    """The branch is about to move, which a copy that has it checked out would show as its own changes."""
    places = await holders(repository.root, branch)
    if places:
        raise GitRefused("busy", f"{branch} is checked out in {places[0].path}; check out another branch there first.")


async def plan(repository: Repository, task: TaskRow, merge: Merged, base: str, reason: str, actor: Actor) -> Undo:
    """The commits of an undo, on no branch yet. Raises `GitRefused` as `revert_commit` does."""
    message = f'Revert "{task.title}"\n\n{reason}\n\nTask {task.id[:6]}, undone by {actor.name}'
    root, author = repository.root, identity_of(repository, actor)
    sign = await wants_signing(root)
    revert = await revert_commit(root, base, merge.old_oid, merge.new_oid, message, author=author, sign=sign)
    tip = await branch_oid(repository, merge.branch) or await resolve(root, f"refs/agentpane/archive/{task.id}")
    if tip is not None and await is_ancestor(root, tip, base):
        tip = await _revived(repository, task, revert, tip, author)
    return Undo(revert, tip)


async def _revived(repository: Repository, task: TaskRow, revert: str, tip: str, author: Identity) -> str:
    """A branch that is in its base counts as merged: without this commit the branch would bring only what is new."""
    message = f"Bring the work of '{task.title}' back after its merge was undone"
    try:
        return await revived_branch(repository.root, revert, tip, message, author=author)
    except GitRefused as refusal:
        if refusal.reason != "conflict":
            raise
        raise GitRefused("conflict", "The branch cannot be brought back beside later work.", refusal.paths) from refusal


async def _advance(
    repository: Repository, task: TaskRow, merge: Merged, base: str, planned: Undo, reason: str, actor: Actor
) -> MergeJournal:
    journal = await journaled(task, merge, base, planned, reason, actor)
    try:
        await advance(repository, merge.base_branch, base, planned.revert, journal)
    except GitRefused:
        await journal.refuse()
        raise
    except Exception as error:
        if not await is_settled(repository, journal.id, error):
            await journal.refuse()
            raise
    return journal


async def journaled(task: TaskRow, merge: Merged, base: str, planned: Undo, reason: str, actor: Actor) -> MergeJournal:
    """Write what is about to happen, so that a start can finish it."""
    row = Merge(
        id=create_id(),
        project_id=task.project_id,
        task_id=task.id,
        kind="undo",
        digest="",
        method=merge.method,
        base_branch=merge.base_branch,
        branch=merge.branch,
        old_oid=base,
        new_oid=planned.revert,
        branch_oid=planned.tip,
        reason=reason,
        merged_by=actor.name,
    )
    async with locked(task.project_id):
        states.after((await get_task(task.id)).column, "undo")
        await Merge.insert(row)
    return MergeJournal(row.id, planned.revert)


async def complete_undo(
    repository: Repository, task: TaskRow, branch: str, planned: Undo, journal: MergeJournal, reason: str, actor: Actor
) -> None:
    """The base has the revert: restore the branch, then write the task open and the journal done at once."""
    if planned.tip is not None:
        await _restore(repository, branch, planned.tip)
    await reopen(task, reason, actor, branch=branch if planned.tip else None, commit=planned.revert, ends=journal)


async def _restore(repository: Repository, branch: str, tip: str) -> None:
    """Doing it again changes nothing. What a kept branch has beyond `tip` stays reachable in its log."""
    now = await branch_oid(repository, branch)
    if now != tip:
        await move_ref(repository.root, f"refs/heads/{branch}", tip, now or ABSENT, "agentpane: undo")


async def reopen(
    task: TaskRow,
    reason: str,
    actor: Actor,
    *,
    branch: str | None,
    commit: str | None,
    ends: MergeJournal | None = None,
) -> None:
    """Put a verified task back to Backlog; its next start goes on from `branch` and is told `reason`."""
    async with locked(task.project_id):
        task = await get_task(task.id)
        metadata = msgspec.structs.replace(task.metadata, pending=Pending("undo", _prompt(reason)), ended_by=None)
        await transition(
            task,
            "undo",
            actor=actor,
            position=0,
            branch=branch,
            agent_id=None,
            approved_at=None,
            approved_by=None,
            started_at=None,
            completed_at=None,
            metadata=msgspec.json.encode(metadata).decode(),
        )
        if ends is not None:
            await ends.done()
            await record_merge(task.project_id, ends.id, actor)
            await execute("UPDATE merges SET status = 'undone' WHERE task_id = $1 AND kind = 'merge'"
                          " AND status = 'done'", task.id)  # fmt: skip
        await record_decision(task, actor, {"decision": "undone", "text": reason, "commit": commit})


def _prompt(reason: str) -> str:
    return (
        "Your work on this task was merged, and a person has taken the merge back. Your branch is as you left it. "
        f"Change what is asked for:\n\n{reason}"
    )


def _worded(refusal: GitRefused) -> Conflict:
    match refusal.reason:
        case "conflict":
            paths = list(refusal.paths)
            sentence = (
                f"Later work in the base branch builds on this merge: {', '.join(paths[:5])}. Nothing was undone."
            )
            return Conflict(sentence, "UNDO_CONFLICT", paths=paths)
        case "moved" | "nothing_to_merge":
            return Conflict(f"{refusal} Nothing was undone.", "MERGE_NOT_FOUND")
        case _:
            return refusal_of(refusal, "Nothing was undone")
