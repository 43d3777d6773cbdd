"""The legal moves of a worktree as data, and the one writer of its status."""

from typing import Any, Literal

from msgspec import Struct

from app.clock import now
from app.errors import Conflict
from app.events.recording import SYSTEM, Actor, record
from app.worktrees.numbering import free_number
from app.worktrees.rows import WorktreeRow, WorktreeStatus, get_worktree
from app.worktrees.tables import Worktree

WorktreeEvent = Literal["finish", "make", "fail", "hold", "give_back", "merge", "remove", "vanish"]


class Transition(Struct, frozen=True):
    """One legal move."""

    before: WorktreeStatus
    event: WorktreeEvent
    after: WorktreeStatus
    #: What a person would have to do to make it, for a refusal's sentence; empty for what AgentPane does by itself.
    hint: str = ""


TRANSITIONS: tuple[Transition, ...] = (
    Transition("creating", "finish", "active"),
    Transition("creating", "fail", "error"),
    Transition("creating", "remove", "removing", "remove it"),
    Transition("active", "make", "creating", "make it again when its folder is gone"),
    Transition("active", "hold", "merging", "approve its task"),
    Transition("active", "fail", "error"),
    Transition("active", "remove", "removing", "remove it"),
    Transition("merging", "give_back", "active"),
    Transition("merging", "merge", "removing"),
    Transition("merging", "fail", "error"),
    Transition("removing", "vanish", "removed"),
    Transition("removing", "fail", "error"),
    Transition("error", "make", "creating", "retry"),
    Transition("error", "fail", "error"),
    Transition("error", "remove", "removing", "remove it"),
)


def before(event: WorktreeEvent) -> list[WorktreeStatus]:
    """The states in which `event` may happen."""
    return [move.before for move in TRANSITIONS if move.event == event]


def after(event: WorktreeEvent) -> WorktreeStatus:
    """Where `event` leads: to the same state from wherever it may happen."""
    return next(move.after for move in TRANSITIONS if move.event == event)


async def change(
    worktree: WorktreeRow, event: WorktreeEvent, *, actor: Actor = SYSTEM, error: str | None = None, **columns: Any
) -> None:
    """Compare-and-set the status of `worktree`, with `error` as its last error and `columns`, and record it.

    The caller holds the project's lock. 409 `WORKTREE_INVALID_TRANSITION` from a state that does not allow it.
    """
    status = after(event)
    values: dict[Any, Any] = {getattr(Worktree, name): value for name, value in columns.items()}
    values |= {Worktree.status: status, Worktree.last_error: error, Worktree.updated_at: now()}
    mine = (Worktree.id == worktree.id) & Worktree.status.is_in(before(event))
    if not await Worktree.update(values).where(mine).returning(Worktree.id):
        raise refusal((await get_worktree(worktree.id)).status, event)
    payload: dict[str, Any] = {"worktree": worktree.id, "error": error, "branch": worktree.branch}
    if status == "removed":
        payload["merged"] = columns.get("merged_at") is not None
        await free_number(worktree.id)
    await record(worktree.project_id, f"worktree.{status}", actor=actor, subject=worktree.task_id, payload=payload)


def refusal(status: WorktreeStatus, event: WorktreeEvent) -> Conflict:
    """The 409 for an event that the state does not allow."""
    possible = [move for move in TRANSITIONS if move.before == status]
    hints = ", ".join(dict.fromkeys(move.hint for move in possible if move.hint)) or "wait, or look at it"
    return Conflict(
        f"This worktree is {status}, so it cannot {event.replace('_', ' ')} now. From here you can: {hints}.",
        "WORKTREE_INVALID_TRANSITION",
        status=status,
        event=event,
        possible=[move.event for move in possible],
    )
