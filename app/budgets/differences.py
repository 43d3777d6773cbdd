"""What a run has used since it was last counted. Pure: programs tell sums, days are kept as differences."""

from decimal import Decimal

from msgspec import Struct

from app.budgets.pricing import SMALLEST, Price, Tokens
from app.runners.base import Usage


class Recorded(Struct, frozen=True, kw_only=True):
    """The sums of a run's rows; None where no row knows."""

    turns: int = 0
    worked_ms: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cost_usd: Decimal | None = None
    unpriced_tokens: int = 0


def difference(before: Recorded, turns: int, worked_ms: int, usage: Usage, price: Price | None) -> Recorded:
    """What is to be added to `before` so that it says what is known now; None stays what nobody tells."""
    tokens = {
        name: _more(getattr(usage, name), getattr(before, name))
        for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    }
    cost, unpriced = _cost(before, usage, _tokens(tokens), price)
    return Recorded(
        turns=max(0, turns - before.turns),
        worked_ms=max(0, worked_ms - before.worked_ms),
        cost_usd=cost,
        unpriced_tokens=unpriced,
        **tokens,
    )


def _more(now: int | None, before: int | None) -> int | None:
    return None if now is None else now - (before or 0)


def _tokens(more: dict[str, int | None]) -> Tokens:
    return Tokens(**{name.removesuffix("_tokens"): count or 0 for name, count in more.items()})


def _cost(before: Recorded, usage: Usage, tokens: Tokens, price: Price | None) -> tuple[Decimal | None, int]:
    """What a program tells wins. Until it tells, and where it never does, the price table does."""
    if usage.cost_usd is not None and not usage.is_partial:
        told = Decimal(str(usage.cost_usd)).quantize(SMALLEST)
        return told - (before.cost_usd or 0), -before.unpriced_tokens
    used = tokens.input + tokens.output
    if used == 0:
        return None, 0
    return (price.of(tokens), 0) if price else (None, used)
