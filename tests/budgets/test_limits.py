"""Which limits hold: the task's, else the agent's, else the project's."""

from decimal import Decimal

from app.budgets.limits import Usual, effective
from app.budgets.rows import LimitRow

USUAL = Usual(turns=50, minutes=60)


def test_turns_and_minutes_are_those_of_agent_and_project_and_end_the_run() -> None:
    limits = effective([], USUAL)
    assert [(each.measure, each.most, each.action) for each in limits] == [
        ("turns", 50, "stop"), ("minutes", 60, "stop"),
    ]  # fmt: skip
    assert all(limit.is_the_programs for limit in limits)


def test_the_task_goes_before_the_agent_and_that_before_the_project() -> None:
    said = [
        LimitRow(span="run", tokens=100, money=Decimal("2.5"), action="stop"),
        LimitRow(agent_id="a", span="run", tokens=50, action="ask"),
        LimitRow(task_id="t", span="run", tokens=10),
        LimitRow(span="day", tokens=1000, action="warn"),
    ]
    found = {(each.span, each.measure): each for each in effective(said, USUAL)}
    assert {key: (each.most, each.action) for key, each in found.items()} == {
        ("run", "turns"): (50, "ask"),
        ("run", "minutes"): (60, "ask"),
        ("run", "tokens"): (10, "ask"),
        ("run", "money"): (Decimal("2.5"), "ask"),
        ("day", "tokens"): (1000, "warn"),
    }
    assert not any(limit.is_the_programs for limit in found.values())
