"""What was used so far: by a run, by all runs of a task, by all runs of a project on one day."""

from datetime import date
from decimal import Decimal

from msgspec import Struct

from app.budgets.rows import Measure, Span
from app.postgres.reading import one, rows

MINUTE_MS = 60_000


class Spent(Struct, frozen=True, kw_only=True):
    """Sums over runs. Tokens and money are None where no run told any; `silent` counts runs that did not."""

    turns: int = 0
    worked_ms: int = 0
    tokens: int | None = None
    cost_usd: Decimal | None = None
    unpriced_tokens: int = 0
    runs: int = 0
    silent: int = 0
    #: Runs of which the money is not known, or not all of it.
    unpriced: int = 0

    def used(self, measure: Measure) -> Decimal | None:
        """In turns, minutes, tokens or USD; None where nobody knows."""
        if measure == "minutes":
            return Decimal(self.worked_ms) / MINUTE_MS
        found = {"turns": self.turns, "tokens": self.tokens, "money": self.cost_usd}[measure]
        return None if found is None else Decimal(found)


_SUMS = """
SELECT coalesce(sum(turns), 0)::int AS turns, coalesce(sum(worked_ms), 0)::bigint AS worked_ms,
  sum(tokens)::bigint AS tokens, sum(cost_usd) AS cost_usd,
  coalesce(sum(unpriced_tokens), 0)::bigint AS unpriced_tokens, count(*)::int AS runs,
  (count(*) FILTER (WHERE tokens IS NULL))::int AS silent,
  (count(*) FILTER (WHERE cost_usd IS NULL OR unpriced_tokens > 0))::int AS unpriced
FROM (SELECT run_id, sum(turns) AS turns, sum(worked_ms) AS worked_ms,
  sum(input_tokens) + sum(output_tokens) AS tokens, sum(cost_usd) AS cost_usd, sum(unpriced_tokens) AS unpriced_tokens
  FROM run_usage WHERE {where} GROUP BY run_id) runs
"""


async def spent_by_run(run_id: str) -> Spent:
    """By one run."""
    return await _sum("run_id = $1", run_id)


async def spent_by_task(task_id: str | None) -> Spent:
    """By every run of a task; nothing without one."""
    return await _sum("task_id = $1", task_id)


async def spent_on(project_id: str, day: date) -> Spent:
    """By every run of a project on a day of the server's."""
    return await _sum("project_id = $1 AND day = $2", project_id, day)


async def spent_in(span: Span, run_id: str, task_id: str | None, project_id: str, day: date) -> Spent:
    """In the span of a limit that holds for a run."""
    if span == "run":
        return await spent_by_run(run_id)
    return await (spent_by_task(task_id) if span == "task" else spent_on(project_id, day))


async def spent_by_live_runs(project_id: str, agent_id: str | None, task_id: str | None) -> list[Spent]:
    """By each run that is going on in a project, of one agent or task if it is named."""

    class _Id(Struct):
        id: str

    found = await rows(
        _Id,
        "SELECT id FROM agent_runs WHERE project_id = $1 AND completed_at IS NULL"
        " AND ($2::text IS NULL OR agent_id = $2) AND ($3::text IS NULL OR task_id = $3)",
        project_id,
        agent_id,
        task_id,
    )
    return [await spent_by_run(row.id) for row in found]


async def _sum(where: str, *args: object) -> Spent:
    return await one(Spent, _SUMS.format(where=where), *args) or Spent()
