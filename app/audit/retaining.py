"""Empty old tool calls: input, output and error go, where a project keeps them for a while only. The row stays, and so
does the chain with their digests; that they were emptied is an entry of the chain itself."""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from app.audit.chain import append_in_lock, moment
from app.clock import now
from app.events.recording import SYSTEM, record
from app.postgres.reading import execute, rows
from app.projects.locking import locked
from app.projects.rows import ProjectRow, all_projects

log = logging.getLogger(__name__)

#: Seconds between two rounds.
EACH_S = 3600.0
#: Calls that are emptied in one transaction: nobody can do anything in the project meanwhile.
AT_ONCE = 200

_OLD = f"""
UPDATE audit_logs a SET input = 'null', output = NULL, error = NULL FROM (
    SELECT l.id, r.session_id FROM audit_logs l LEFT JOIN agent_runs r ON r.id = l.agent_run_id
    WHERE l.project_id = $1 AND l.timestamp < $2 AND l.status IN ('complete', 'error') AND l.input <> 'null'
    ORDER BY l.timestamp, l.id LIMIT {AT_ONCE}
) old WHERE a.id = old.id RETURNING a.id, old.session_id
"""  # noqa: S608
# A session shows the beginnings of input and output, and says which call they are of.
_IN_SESSIONS = """
UPDATE events SET payload = payload || CASE kind WHEN 'tool_call' THEN '{"input": {}, "emptied": true}'::jsonb
    ELSE '{"output": null, "error": null, "emptied": true}'::jsonb END
WHERE session_id = ANY($1) AND kind IN ('tool_call', 'tool_result') AND payload ->> 'audit' = ANY($2)
RETURNING number, kind
"""
# A card's line about a call follows the event of the call.
_ON_CARDS = """
UPDATE events SET payload = '{"activity": ""}' WHERE project_id = $1 AND kind = 'task.activity' AND number IN (
    SELECT (SELECT min(e.number) FROM events e WHERE e.project_id = $1 AND e.number > call)
    FROM unnest($2::bigint[]) call)
"""


#: What is done with the ids of calls in the same transaction, by domains that keep something of calls themselves.
Also = Callable[[Sequence[str]], Awaitable[None]]


async def _nothing_else(_: Sequence[str]) -> None:
    """No other domain keeps anything."""


class _Emptied(Struct, frozen=True):
    id: str
    session_id: str | None


class _Told(Struct, frozen=True):
    number: int
    kind: str


class Retention:
    """Empties old calls of every project, in rounds; `also` is told of the ids of calls that are emptied just now."""

    def __init__(self, also: Also = _nothing_else) -> None:
        self._also = also
        self._next = 0.0

    async def round(self) -> int:
        """Empty what is too old by now, once in `EACH_S`; returns how many calls that were."""
        if time.monotonic() < self._next:
            return 0
        self._next = time.monotonic() + EACH_S
        return sum([await empty_old_calls(project, also=self._also) for project in await all_projects()])


async def empty_old_calls(project: ProjectRow, at: datetime | None = None, also: Also = _nothing_else) -> int:
    """Empty the calls of a project that are older than it keeps them; returns how many these were."""
    days = project.config.audit_days
    if days is None:
        return 0
    before, emptied = (at or now()) - timedelta(days=days), 0
    while count := await _empty_some(project.id, before, days, also):
        emptied += count
    if emptied:
        log.info("%s tool calls of project %s were emptied", emptied, project.name)
    return emptied


async def _empty_some(project_id: str, before: datetime, days: int, also: Also) -> int:
    async with locked(project_id):
        calls = await rows(_Emptied, _OLD, project_id, before)
        if not calls:
            return 0
        await _empty_events(project_id, calls)
        await also([call.id for call in calls])
        content: dict[str, Any] = {"before": moment(before), "days": days, "calls": len(calls)}
        head = await append_in_lock(project_id, "retention", project_id, content, actor=SYSTEM)
        payload = {**content, "chain": {"number": head.number, "hash": head.hash}}
        await record(project_id, "audit.emptied", actor=SYSTEM, subject=project_id, payload=payload)
    return len(calls)


async def _empty_events(project_id: str, calls: list[_Emptied]) -> None:
    sessions = list({call.session_id for call in calls if call.session_id})
    told = await rows(_Told, _IN_SESSIONS, sessions, [call.id for call in calls])
    await execute(_ON_CARDS, project_id, [event.number for event in told if event.kind == "tool_call"])
