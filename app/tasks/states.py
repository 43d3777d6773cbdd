"""The legal moves of a task as data: from, event, to. Nothing else decides what a task may do."""

from typing import Literal

from msgspec import Struct

from app.errors import Conflict
from app.tasks.rows import Column

TaskEvent = Literal["start", "complete", "fail", "submit", "approve", "reject", "cancel", "undo"]

NAMES: dict[Column, str] = {
    "backlog": "Backlog",
    "in_progress": "In progress",
    "waiting_approval": "Waiting approval",
    "verified": "Verified",
}


class Transition(Struct, frozen=True):
    """One legal move."""

    before: Column
    event: TaskEvent
    after: Column
    #: What a person would have to do to make it, for a refusal's sentence.
    hint: str


TRANSITIONS: tuple[Transition, ...] = (
    Transition("backlog", "start", "in_progress", "start it"),
    Transition("in_progress", "complete", "waiting_approval", "let its agent finish"),
    Transition("in_progress", "fail", "in_progress", "retry it"),
    Transition("in_progress", "submit", "waiting_approval", "submit what is there"),
    Transition("waiting_approval", "approve", "verified", "approve it on its review page"),
    Transition("waiting_approval", "reject", "in_progress", "request changes on its review page"),
    Transition("in_progress", "cancel", "backlog", "cancel it"),
    Transition("waiting_approval", "cancel", "backlog", "cancel it"),
    Transition("verified", "undo", "backlog", "undo its merge on its page"),
)

_BY_STATE = {(t.before, t.event): t for t in TRANSITIONS}


def after(column: Column, event: TaskEvent) -> Column:
    """Where `event` leads from `column`; 409 with what is possible instead."""
    transition = _BY_STATE.get((column, event))
    if transition is None:
        raise refusal(column, event)
    return transition.after


def refusal(column: Column, event: str) -> Conflict:
    """The 409 for an event that the state does not allow."""
    possible = [t for t in TRANSITIONS if t.before == column and t.event not in ("complete", "fail")]
    hints = ", ".join(dict.fromkeys(t.hint for t in possible)) or "only look at it"
    return Conflict(
        f"This task is in the column {NAMES[column]}, so it cannot {event} now. From here you can: {hints}.",
        "TASK_INVALID_TRANSITION",
        column=column,
        event=event,
        possible=[t.event for t in possible],
    )


def event_for_move(before: Column, target: Column) -> TaskEvent | None:
    """The event that a move of a card between columns stands for; None is a reorder inside one column.

    A move that needs a decision is refused: dragging to Verified is not approval.
    """
    if before == target:
        return None
    moves: dict[tuple[Column, Column], TaskEvent] = {
        ("backlog", "in_progress"): "start",
        ("in_progress", "waiting_approval"): "submit",
        ("in_progress", "backlog"): "cancel",
        ("waiting_approval", "backlog"): "cancel",
    }
    event = moves.get((before, target))
    if event is None:
        raise _needs_a_decision(before, target)
    return event


def _needs_a_decision(before: Column, target: Column) -> Conflict:
    decisions: dict[tuple[Column, Column], str] = {
        ("waiting_approval", "verified"): "Approving merges the branch, so it is done on the review page.",
        ("waiting_approval", "in_progress"): "Sending work back needs a reason, which is given on the review page.",
        ("verified", "backlog"): "Undoing a merge needs a reason, which is given on the task's page.",
    }
    sentence = decisions.get((before, target), f"A task cannot go from {NAMES[before]} to {NAMES[target]}.")
    return Conflict(sentence, "TASK_INVALID_TRANSITION", column=before, wanted=target)
