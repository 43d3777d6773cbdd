"""What was used against its limits, as bars."""

from collections.abc import Sequence
from decimal import Decimal

from app.budgets.judging import NEAR
from app.budgets.limits import Limit
from app.budgets.rows import MEASURES, Measure, Span
from app.budgets.spent import Spent
from app.budgets.views import Gauge
from app.budgets.words import money

NAMES: dict[Measure, str] = {"turns": "Turns", "minutes": "Time", "tokens": "Tokens", "money": "Money"}


def gauges_of(span: Span, spent: Spent, limits: Sequence[Limit], measures: Sequence[Measure] = MEASURES) -> list[Gauge]:
    """One for each measure of a span."""
    most = {limit.measure: limit.most for limit in limits if limit.span == span}
    return [_gauge(measure, spent, most.get(measure)) for measure in measures]


def _gauge(measure: Measure, spent: Spent, most: Decimal | None) -> Gauge:
    used = spent.used(measure)
    share = int(min(Decimal(100), used * 100 / most)) if used is not None and most else 0
    state = "" if used is None or not most else "full" if used >= most else "near" if used >= NEAR * most else ""
    return Gauge(
        name=NAMES[measure],
        used=_used(measure, spent, used),
        most="" if most is None else _plain(measure, most),
        share=share,
        state=state,
    )


def _used(measure: Measure, spent: Spent, used: Decimal | None) -> str:
    """A sum of which parts are not known says so."""
    if used is None:
        return "unknown"
    part = spent.unpriced if measure == "money" else spent.silent if measure == "tokens" else 0
    return f"at least {_plain(measure, used)}" if part else _plain(measure, used)


def _plain(measure: Measure, value: Decimal) -> str:
    """Without the unit that the name of its gauge tells."""
    if measure == "money":
        return money(value)
    whole = f"{int(value):,}"
    return f"{whole} min" if measure == "minutes" else whole
