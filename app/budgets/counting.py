"""The one writer of `run_usage`: what a run used since it was last counted, on the day and with the model of now."""

from msgspec import Struct

from app.budgets.differences import Recorded, difference
from app.budgets.prices import all_prices
from app.budgets.pricing import price_for
from app.clock import today
from app.ids import create_id
from app.postgres.reading import execute, one
from app.runners.base import Usage


class Counted(Struct, frozen=True, kw_only=True):
    """A run as it stands. `usage` are its program's sums; what that does not tell is None."""

    run_id: str
    project_id: str
    task_id: str | None
    model: str
    turns: int
    worked_ms: int
    usage: Usage = Usage()


#: Less of it than this, and nothing else, is not written down: milliseconds.
_LITTLE_MS = 1_000
_RECORDED = """
SELECT coalesce(sum(turns), 0)::int AS turns, coalesce(sum(worked_ms), 0)::bigint AS worked_ms,
  sum(input_tokens)::bigint AS input_tokens, sum(output_tokens)::bigint AS output_tokens,
  sum(cache_read_tokens)::bigint AS cache_read_tokens, sum(cache_write_tokens)::bigint AS cache_write_tokens,
  sum(cost_usd) AS cost_usd, coalesce(sum(unpriced_tokens), 0)::bigint AS unpriced_tokens
FROM run_usage WHERE run_id = $1
"""
_SUMMED = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd")
_ADD = f"""
INSERT INTO run_usage (id, project_id, task_id, run_id, model, day, turns, worked_ms, unpriced_tokens, {", ".join(_SUMMED)})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (run_id, model, day) DO UPDATE SET turns = run_usage.turns + excluded.turns,
  worked_ms = run_usage.worked_ms + excluded.worked_ms,
  unpriced_tokens = run_usage.unpriced_tokens + excluded.unpriced_tokens,
  {", ".join(f"{name} = CASE WHEN excluded.{name} IS NULL THEN run_usage.{name} ELSE coalesce(run_usage.{name}, 0) + excluded.{name} END" for name in _SUMMED)}
"""  # noqa: S608, E501


async def count_in_lock(counted: Counted) -> bool:
    """Write what is new, and say whether anything is. The caller holds the project's lock."""
    more = await _difference(counted)
    is_new = more.turns or more.worked_ms >= _LITTLE_MS or any(getattr(more, name) for name in _SUMMED)
    if not is_new and not await _is_first(counted, more):
        return False
    await execute(
        _ADD, create_id(), counted.project_id, counted.task_id, counted.run_id, counted.model, today(), more.turns,
        more.worked_ms, more.unpriced_tokens, *(getattr(more, name) for name in _SUMMED),
    )  # fmt: skip
    return True


async def recorded(run_id: str) -> Recorded:
    """What was counted of a run so far."""
    return await one(Recorded, _RECORDED, run_id) or Recorded()


async def _difference(counted: Counted) -> Recorded:
    before = await recorded(counted.run_id)
    price = price_for(counted.model, await all_prices()) if counted.usage.output_tokens is not None else None
    return difference(before, counted.turns, counted.worked_ms, counted.usage, price)


async def _is_first(counted: Counted, more: Recorded) -> bool:
    """Whether a program tells for the first time, and tells of nothing used: that is known from now on."""
    before = await recorded(counted.run_id)
    return more.output_tokens is not None and before.output_tokens is None
