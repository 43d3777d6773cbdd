"""The state machine of a task, pair by pair: what is not in this table is refused, and says what is possible."""

from typing import get_args

import pytest

from app.errors import Conflict
from app.tasks.rows import Column
from app.tasks.states import TRANSITIONS, TaskEvent, after, event_for_move

COLUMNS: tuple[Column, ...] = get_args(Column)
EVENTS: tuple[TaskEvent, ...] = get_args(TaskEvent)

ALLOWED: dict[tuple[Column, TaskEvent], Column] = {
    ("backlog", "start"): "in_progress",
    ("in_progress", "complete"): "waiting_approval",
    ("in_progress", "fail"): "in_progress",
    ("in_progress", "submit"): "waiting_approval",
    ("in_progress", "cancel"): "backlog",
    ("waiting_approval", "approve"): "verified",
    ("waiting_approval", "reject"): "in_progress",
    ("waiting_approval", "cancel"): "backlog",
    ("verified", "undo"): "backlog",
}
#: What no person does by hand.
NOT_OFFERED = ("complete", "fail")
#: What moving a card from one column to another stands for; the rest needs a decision, or is none.
MOVES: dict[tuple[Column, Column], TaskEvent] = {
    ("backlog", "in_progress"): "start",
    ("in_progress", "waiting_approval"): "submit",
    ("in_progress", "backlog"): "cancel",
    ("waiting_approval", "backlog"): "cancel",
}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("event", EVENTS)
def test_every_pair_is_allowed_or_refused(column: Column, event: TaskEvent) -> None:
    if target := ALLOWED.get((column, event)):
        assert after(column, event) == target
        return
    with pytest.raises(Conflict) as refused:
        after(column, event)
    assert (refused.value.status, refused.value.code) == (409, "TASK_INVALID_TRANSITION")
    possible = [e for c, e in ALLOWED if c == column and e not in NOT_OFFERED]
    assert refused.value.details == {"column": column, "event": event, "possible": possible}
    for transition in TRANSITIONS:
        if transition.before == column and transition.event in possible:
            assert transition.hint in refused.value.message


@pytest.mark.parametrize("before", COLUMNS)
@pytest.mark.parametrize("target", COLUMNS)
def test_every_move_of_a_card_stands_for_an_event_or_is_refused(before: Column, target: Column) -> None:
    if before == target:
        assert event_for_move(before, target) is None
    elif event := MOVES.get((before, target)):
        assert event_for_move(before, target) == event
        assert after(before, event) == target
    else:
        with pytest.raises(Conflict) as refused:
            event_for_move(before, target)
        assert refused.value.code == "TASK_INVALID_TRANSITION"


def test_a_decision_is_not_made_by_dragging() -> None:
    with pytest.raises(Conflict, match="review page"):
        event_for_move("waiting_approval", "verified")
    with pytest.raises(Conflict, match="needs a reason"):
        event_for_move("waiting_approval", "in_progress")
