"""What the tool calls that match come to: by tool, not ok, slowest. One look at each call answers all of it."""

from typing import Any

from msgspec import Struct

from app.audit.filters import Filter
from app.audit.listing import call_row, calls_with
from app.audit.views import ToolTotal, Totals
from app.postgres.reading import one

#: How many of the slowest are named.
SLOWEST = 5

_TOTALS = """
WITH matching AS MATERIALIZED (SELECT a.id, a.tool, a.status, a.duration FROM audit_logs a WHERE {calls}),
by_tool AS (
    SELECT tool, count(*) AS calls, count(*) FILTER (WHERE status = 'error') AS failed,
           coalesce(sum(duration), 0) AS total, percentile_disc(0.5) WITHIN GROUP (ORDER BY duration) AS median
    FROM matching GROUP BY tool ORDER BY count(*) DESC, tool
), slow AS (SELECT id FROM matching WHERE duration IS NOT NULL ORDER BY duration DESC, id LIMIT {slowest})
SELECT (SELECT coalesce(json_agg(by_tool), '[]') FROM by_tool) AS tools,
       (SELECT coalesce(json_agg(id), '[]') FROM slow) AS slowest,
       (SELECT count(*) FROM matching m WHERE status = 'error' AND EXISTS (
           SELECT FROM audit_chain f WHERE f.subject_id = m.id AND f.kind = 'tool_refused'))::int AS refused
"""


class _Found(Struct, frozen=True):
    tools: tuple[ToolTotal, ...]
    slowest: list[str]
    refused: int


async def totals(project_id: str, wanted: Filter) -> Totals:
    """The totals of the calls that match."""
    args: list[Any] = [project_id]
    found = await one(_Found, _TOTALS.format(calls=wanted.calls(args), slowest=SLOWEST), *args)
    assert found is not None, "an aggregate always has a row"
    slowest = {call.id: call_row(call) for call in await calls_with(found.slowest)}
    return Totals(
        tools=found.tools,
        calls=sum(tool.calls for tool in found.tools),
        failed=sum(tool.failed for tool in found.tools) - found.refused,
        refused=found.refused,
        slowest=tuple(slowest[id] for id in found.slowest if id in slowest),
    )
