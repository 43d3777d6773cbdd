"""Tokens and money: sums of parts are the whole, whatever comes between."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.budgets.differences import Recorded, difference
from app.budgets.pricing import Price, Tokens, price_for
from app.runners.base import Usage

OPUS = Price(pattern="claude-opus-*", input=Decimal("15"), output=Decimal("75"), cache_read=Decimal("1.5"))


def test_a_price_counts_each_kind_of_token() -> None:
    tokens = Tokens(input=1_000_000, output=100_000, cache_read=400_000, cache_write=100_000)
    assert OPUS.of(tokens) == Decimal("9") - Decimal("1.5") + Decimal("1.5") + Decimal("0.6") + Decimal("7.5")


def test_the_pattern_that_says_most_gives_the_price() -> None:
    any_model, claude = (Price(pattern=each, input=Decimal(1), output=Decimal(1)) for each in ("*", "claude-*"))
    prices = [any_model, claude, OPUS]
    assert price_for("claude-opus-4", prices) is OPUS
    assert price_for("Claude-Haiku", prices) is claude
    assert price_for("", prices) is any_model
    assert price_for("gpt-5", [claude, OPUS]) is None
    odd = Price(pattern="opus[1m]", input=Decimal(1), output=Decimal(1))
    assert (price_for("opus[1m]", [odd]), price_for("opus1", [odd])) == (odd, None)


COUNT = st.integers(0, 5_000)
PIECES = st.lists(st.tuples(COUNT, COUNT, COUNT, COUNT, st.booleans()), min_size=1, max_size=12)


@given(PIECES)
def test_parts_add_up_to_the_whole_by_a_price(pieces: list[tuple[int, int, int, int, bool]]) -> None:
    """However a run's sums are cut into pieces, over midnights and rests: their cost is that of all together."""
    before, whole = Recorded(), Tokens()
    for read, write, plain, out, is_partial in pieces:
        whole = Tokens(
            input=whole.input + plain + read + write,
            output=whole.output + out,
            cache_read=whole.cache_read + read,
            cache_write=whole.cache_write + write,
        )
        told = {f"{name}_tokens": getattr(whole, name) for name in whole.__struct_fields__}
        usage = Usage(is_partial=is_partial, **told)
        before = _sum(before, difference(before, 0, 0, usage, OPUS))
        before = _sum(before, difference(before, 0, 0, usage, OPUS))  # Told twice is told once.
    assert {name: getattr(before, name) for name in told} == told
    assert (before.cost_usd or 0) == OPUS.of(whole)


def test_what_a_program_tells_wins_in_the_end() -> None:
    partial = Usage(input_tokens=1000, output_tokens=10, is_partial=True)
    guessed = _sum(Recorded(), difference(Recorded(), 1, 0, partial, OPUS))
    assert guessed.cost_usd == OPUS.of(Tokens(input=1000, output=10))
    told = Usage(input_tokens=1000, output_tokens=20, cost_usd=0.0123)
    assert _sum(guessed, difference(guessed, 1, 0, told, OPUS)).cost_usd == Decimal("0.0123")


def test_unknown_stays_unknown_and_is_never_nothing() -> None:
    silent = difference(Recorded(), 3, 5000, Usage(), OPUS)
    assert (silent.turns, silent.worked_ms) == (3, 5000)
    assert (silent.input_tokens, silent.output_tokens, silent.cost_usd) == (None, None, None)
    unpriced = difference(Recorded(), 1, 0, Usage(input_tokens=10, output_tokens=5), None)
    assert (unpriced.cost_usd, unpriced.unpriced_tokens) == (None, 15)
    settled = difference(_sum(Recorded(), unpriced), 1, 0, Usage(input_tokens=10, output_tokens=5, cost_usd=0.5), None)
    assert _sum(unpriced, settled).unpriced_tokens == 0


def test_a_conversation_that_is_silent_for_once_takes_nothing_back() -> None:
    before = Recorded(turns=4, worked_ms=9000, input_tokens=100, output_tokens=20)
    assert difference(before, 4, 8000, Usage(), None) == Recorded()


def _sum(one: Recorded, other: Recorded) -> Recorded:
    def add(name: str) -> object:
        left, right = getattr(one, name), getattr(other, name)
        return left if right is None else right if left is None else left + right

    return Recorded(**{name: add(name) for name in Recorded.__struct_fields__})  # type: ignore[arg-type]
