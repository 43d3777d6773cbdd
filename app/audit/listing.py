"""The rows of the audit log: tool calls from their table, all else from the chain, as one list by time.

A list reads one line of each call's input; only an entry reads the whole (`showing.py`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from app.audit.describing import describe
from app.audit.filters import IS_REFUSED, Filter
from app.audit.offline_verify import content_of
from app.audit.views import AuditRow
from app.postgres.reading import rows, scalar
from app.web.hidden import name_hidden

#: Characters of an argument in a list.
ARGUMENT = 300
#: The argument that says most about a call: the same keys as on a card, the first that is there.
_ARGUMENT_KEYS = ("command", "file_path", "path", "pattern", "url", "query", "description", "prompt")
_ARGUMENT = ", ".join(f"a.input ->> '{key}'" for key in _ARGUMENT_KEYS)

CALL_COLUMNS = f"""
a.id, a.timestamp, a.tool, a.status::text AS status, a.status = 'error' AND {IS_REFUSED} AS refused,
left(coalesce({_ARGUMENT}, nullif(a.input::text, 'null')), {ARGUMENT}) AS argument,
a.agent_id, g.name AS agent_name, a.task_id, t.title AS task_title, a.turn_number, a.duration, w.path AS root
"""
CALL_JOINS = """
FROM audit_logs a JOIN agents g ON g.id = a.agent_id
LEFT JOIN tasks t ON t.id = a.task_id
LEFT JOIN worktrees w ON w.id = t.worktree_id
"""
#: Each part is cut to what can be needed of it, so that its index is read in order and no further.
_PLACES = """
SELECT source, id, at FROM (
    (SELECT 'call' AS source, a.id, a.timestamp AS at FROM audit_logs a WHERE {calls}
     ORDER BY a.timestamp {order}, a.id {order} LIMIT {most})
    UNION ALL
    (SELECT 'entry', c.number::text, c.at FROM audit_chain c WHERE {entries}
     ORDER BY c.at {order}, c.number::text {order} LIMIT {most})
) listed ORDER BY at {order}, id {order}
"""
_OUTCOMES = {"pending": "pending", "running": "running", "complete": "ok", "error": "failed"}


class Place(Struct, frozen=True):
    """A row's place in the list. `source` is `call` or `entry`, `id` of an entry its number."""

    source: str
    id: str
    at: datetime


class CallLine(Struct, frozen=True, kw_only=True):
    """What a list reads of a tool call."""

    id: str
    timestamp: datetime
    tool: str
    status: str
    refused: bool
    argument: str | None
    agent_id: str
    agent_name: str
    task_id: str | None
    task_title: str | None
    turn_number: int
    duration: int | None
    root: str | None


class _EntryLine(Struct, frozen=True):
    number: int
    kind: str
    subject_id: str
    actor: str
    at: datetime
    content: str


async def count_rows(project_id: str) -> int:
    """How many rows there are."""
    calls = int(await scalar("SELECT count(*) FROM audit_logs WHERE project_id = $1", project_id))
    return calls + await count_entries(project_id, Filter())


async def count_entries(project_id: str, wanted: Filter) -> int:
    """How many rows match that are no tool calls."""
    args: list[Any] = [project_id]
    return int(await scalar(f"SELECT count(*) FROM audit_chain c WHERE {wanted.entries(args)}", *args))  # noqa: S608


async def places(
    project_id: str, wanted: Filter, *, limit: int, skip: int = 0, newest: bool = False, after: Place | None = None
) -> list[Place]:
    """Rows that match, from the oldest or from the `newest`; `skip` so many, or begin `after` one."""
    args: list[Any] = [project_id]
    calls, entries = wanted.calls(args), wanted.entries(args)
    if after is not None:
        args += [after.at, after.id]
        beyond = f"(${len(args) - 1}, ${len(args)})"
        calls, entries = (
            f"{calls} AND (a.timestamp, a.id) > {beyond}",
            f"{entries} AND (c.at, c.number::text) > {beyond}",
        )
    order, most = "DESC" if newest else "ASC", skip + limit
    listed = _PLACES.format(calls=calls, entries=entries, order=order, most=most)
    return await rows(Place, f"{listed} OFFSET {skip} LIMIT {limit}", *args)


async def rows_at(project_id: str, wanted: Sequence[Place]) -> list[AuditRow]:
    """These rows, in this order."""
    calls = await calls_with([place.id for place in wanted if place.source == "call"])
    found = {row.id: row for row in (*map(call_row, calls), *await _entry_rows(project_id, wanted))}
    return [found[place.id] for place in wanted if place.id in found]


async def calls_with(ids: Sequence[str]) -> list[CallLine]:
    """The calls with these ids, in no order."""
    return await rows(CallLine, f"SELECT {CALL_COLUMNS} {CALL_JOINS} WHERE a.id = ANY($1)", list(ids)) if ids else []


def call_row(call: CallLine) -> AuditRow:
    """A tool call as a row."""
    argument = " ".join((call.argument or "").split())
    return AuditRow(
        id=call.id,
        href=f"/audit/{call.id}",
        timestamp=call.timestamp,
        who=call.agent_name,
        what=name_hidden(call.tool),
        argument=name_hidden(argument.removeprefix(f"{call.root}/") if call.root else argument),
        task_id=call.task_id or "",
        task_title=call.task_title or "",
        duration=call.duration,
        outcome="refused" if call.refused else _OUTCOMES[call.status],
    )


async def _entry_rows(project_id: str, wanted: Iterable[Place]) -> list[AuditRow]:
    numbers = [int(place.id) for place in wanted if place.source == "entry"]
    if not numbers:
        return []
    found = await rows(
        _EntryLine,
        "SELECT number, kind, subject_id, actor, at, content FROM audit_chain"
        " WHERE project_id = $1 AND number = ANY($2)",
        project_id,
        numbers,
    )
    return [
        describe(project_id, each.number, each.kind, each.subject_id, each.actor, each.at, content_of(each.content))
        for each in found
    ]
