"""Which limits hold for a run. Pure: what the task says goes before the agent, and that before the project."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from app.budgets.rows import MEASURES, SPANS, Action, LimitRow, Measure, Span

#: What happens at a limit of which nobody says more.
USUAL: Action = "stop"


class Limit(Struct, frozen=True, kw_only=True):
    """One limit, in turns, minutes, tokens or USD."""

    span: Span
    measure: Measure
    most: Decimal
    action: Action

    @property
    def is_the_programs(self) -> bool:
        """Whether the program, or the clock beside it, holds it: turns and minutes of a run that end it."""
        return self.span == "run" and self.measure in ("turns", "minutes") and self.action == "stop"


class Usual(Struct, frozen=True, kw_only=True):
    """Turns and minutes of a run by its configuration; None where there is no limit."""

    turns: int | None = None
    minutes: int | None = None


def effective(said: Sequence[LimitRow], usual: Usual) -> list[Limit]:
    """The limits that hold, of what project, agent and task say."""
    found = []
    for span in SPANS:
        ranked, action = _ranked(said, span), action_in(said, span)
        for measure in MEASURES:
            if limit := _limit(ranked, span, measure, action, usual):
                found.append(limit)
    return found


def action_in(said: Sequence[LimitRow], span: Span) -> Action:
    """What happens at the limits of a span."""
    return next((row.action for row in _ranked(said, span) if row.action), USUAL)


def _ranked(said: Sequence[LimitRow], span: Span) -> list[LimitRow]:
    return sorted((row for row in said if row.span == span), key=_rank)


def _limit(ranked: Sequence[LimitRow], span: Span, measure: Measure, action: Action, usual: Usual) -> Limit | None:
    for row in ranked:
        if (most := row.value(measure)) is not None:
            return Limit(span=span, measure=measure, most=most, action=action)
    count = getattr(usual, measure, None) if span == "run" else None
    if count is None:
        return None
    return Limit(span=span, measure=measure, most=Decimal(count), action=action)


def _rank(row: LimitRow) -> int:
    return 0 if row.task_id else 1 if row.agent_id else 2
