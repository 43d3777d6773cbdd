"""Send work back with the conflict: the base is merged into the task's branch, in its worktree, and the same agent goes
on in the same conversation to resolve it."""

from typing import Any

from app.configuration.templates import DEFAULTS, render
from app.errors import Conflict as Refusal
from app.events.recording import Actor
from app.git.finishing import uninterrupted
from app.git.refusals import GitError, GitRefused
from app.git.updating import Update, bring_in
from app.postgres.patience import patiently
from app.projects.locking import locked
from app.reviews.comparing import Comparison, compare
from app.reviews.conflicts import described, meaning
from app.reviews.deciding import seen_in
from app.reviews.merging import listed, refusal_of
from app.reviews.rejecting import send_back_in_lock
from app.reviews.saving import save_found
from app.tasks import states
from app.tasks.rows import Pending, TaskRow, get_task
from app.worktrees.merging import give_back, hold_in_lock
from app.worktrees.removing import AGENT_IDENTITY
from app.worktrees.rows import WorktreeRow
from app.worktrees.states import change

#: Files that a prompt names.
_NAMED = 50


async def send_back_with_conflict(task_id: str, actor: Actor) -> TaskRow:
    """Waiting approval to the front of the queue, with the base merged into the branch as far as it goes.

    It counts as a rejection, whose reason is the conflict; so does one that was committed without being resolved.
    409 with everything as it was: `TASK_STALE_DIFF` when there is no conflict by now, `TASK_NO_DIFF`,
    `CHECKOUT_DIRTY` naming files of the worktree that are in the way, `CHECKOUT_BUSY`.
    """
    task = await get_task(task_id)
    states.after(task.column, "reject")
    comparison = await compare(task)
    if not comparison.conflicts and not comparison.unresolved:
        raise Refusal(
            "The branch merges cleanly by now, so there is no conflict to send back. Look at it again and decide.",
            "TASK_STALE_DIFF",
        )
    await uninterrupted(_send_back(task, comparison.worktree, actor))
    return await get_task(task_id)


async def _send_back(task: TaskRow, worktree: WorktreeRow, actor: Actor) -> None:
    async with locked(task.project_id):
        states.after((await get_task(task.id)).column, "reject")
        await hold_in_lock(worktree, actor)
    try:
        await save_found(task, worktree)
        comparison = await compare(task)
        update = await _bring_in(comparison)
    except BaseException:
        await patiently(lambda: give_back(worktree))
        raise
    await patiently(lambda: _complete(task, comparison, update, actor))


async def _bring_in(comparison: Comparison) -> Update:
    worktree = comparison.worktree
    try:
        message = f"Merge {worktree.base_branch} into {worktree.branch}"
        return await bring_in(worktree.root, worktree.branch, comparison.base, message, AGENT_IDENTITY)
    except GitRefused as refusal:
        raise refusal_of(refusal, "Nothing was sent back") from refusal
    except GitError as error:
        raise Refusal(f"Nothing was sent back: {error}", "CHECKOUT_BUSY") from error


async def _complete(task: TaskRow, comparison: Comparison, update: Update, actor: Actor) -> None:
    worktree, conflicts = comparison.worktree, described(update.trial.conflicts)
    paths = sorted({*(each["path"] for each in conflicts), *comparison.unresolved})
    reason = f"{worktree.base_branch} conflicts with this work in {listed(paths)}."[:1000]
    values = _values(comparison, conflicts, actor)
    pending = Pending("conflict", render(DEFAULTS["conflict"], values), values)
    decision: dict[str, Any] = {"base": comparison.base, "conflicts": conflicts, "unresolved": comparison.unresolved}
    async with locked(task.project_id):
        await change(worktree, "give_back", actor=actor)
        await send_back_in_lock(task.id, reason, pending, actor, seen_in(comparison), decision="conflict", **decision)


def _values(comparison: Comparison, conflicts: list[dict[str, str]], actor: Actor) -> dict[str, str]:
    """For the template of the prompt."""
    files = _bullets([f"{each['path']}: {meaning(each['kind'])}" for each in conflicts])
    unresolved = _bullets(list(comparison.unresolved))
    return {
        "conflict.base": f"{comparison.worktree.base_branch} ({comparison.base[:10]})",
        "conflict.details": _details(files, unresolved),
        "conflict.files": files,
        "conflict.unresolved": unresolved,
        "conflict.person": actor.name,
    }


def _details(files: str, unresolved: str) -> str:
    parts = []
    if files:
        parts.append(
            "It is being merged into your branch: the merge is open in your worktree, with conflict marks in these "
            f"files:\n\n{files}"
        )
    if unresolved:
        parts.append(
            f"These files were committed with a conflict left in them, as marks or as one side only:\n\n{unresolved}"
        )
    return "\n\n".join(parts)


def _bullets(lines: list[str]) -> str:
    more = [f"and {len(lines) - _NAMED} more, see `git status`"] if len(lines) > _NAMED else []
    return "\n".join(f"- {line}" for line in [*lines[:_NAMED], *more])
