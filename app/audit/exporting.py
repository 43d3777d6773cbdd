"""The chain to take away as JSON lines, for `offline_verify.py`: read and sent in pages, never held as a whole."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from app.audit.chain import head_of, moment
from app.audit.digests import EMPTIED
from app.audit.filters import Filter
from app.audit.offline_verify import FORMAT, RESULTS
from app.clock import now
from app.postgres.reading import rows
from app.projects.rows import ProjectRow

#: Entries that are read at a time: each may have a row of some hundred kilobytes.
PAGE = 100

_SELECT = f"""
SELECT c.number, c.kind, c.subject_id, c.actor_kind, c.actor, c.at, c.content, c.previous_hash, c.hash,
       a.id AS call, a.agent_id, a.agent_run_id, a.tool, a.turn_number, a.timestamp, a.input::text AS input_json,
       a.status::text AS status, a.output::text AS output_json, a.error, a.duration, {EMPTIED} AS emptied
FROM audit_chain c
LEFT JOIN audit_logs a ON a.id = c.subject_id AND c.kind IN ('tool_call', 'tool_result', 'tool_refused')
WHERE c.project_id = $1 AND c.number > $2 AND c.number <= $3
"""  # noqa: S608


class _Row(Struct, frozen=True):
    number: int
    kind: str
    subject_id: str
    actor_kind: str
    actor: str
    at: datetime
    content: str
    previous_hash: str
    hash: str
    call: str | None
    agent_id: str | None
    agent_run_id: str | None
    tool: str | None
    turn_number: int | None
    timestamp: datetime | None
    input_json: str | None
    status: str | None
    output_json: str | None
    error: str | None
    duration: int | None
    emptied: bool | None


async def json_lines(project: ProjectRow, wanted: Filter) -> AsyncIterator[bytes]:
    """A line about the export, then one for each entry of the chain, with its tool call as it is now."""
    head = await head_of(project.id)
    yield _line(
        {
            "format": FORMAT,
            "project": project.id,
            "name": project.name,
            "exported_at": moment(now()),
            "filter": wanted.terms,
            "number": head.number,
            "hash": head.hash,
        }
    )
    after = 0
    while found := await _page(project.id, after, head.number, wanted):
        for row in found:
            yield _line(_entry(row))
        after = found[-1].number


async def _page(project_id: str, after: int, until: int, wanted: Filter) -> list[_Row]:
    args: list[Any] = [project_id, after, until]
    select = _SELECT
    if wanted.terms:
        select += f" AND (c.kind LIKE 'tool%' AND {wanted.calls(args)} OR {wanted.entries(args)})"
    return await rows(_Row, f"{select} ORDER BY c.number LIMIT {PAGE}", *args)


def _entry(row: _Row) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "number": row.number, "kind": row.kind, "subject": row.subject_id, "at": moment(row.at),
        "actor_kind": row.actor_kind, "actor": row.actor, "content": row.content,
        "previous_hash": row.previous_hash, "hash": row.hash,
    }  # fmt: skip
    if row.timestamp is not None:
        entry["row"] = {"at": moment(row.timestamp), **({"emptied": True} if row.emptied else {}), **_call(row)}
    return entry


def _call(row: _Row) -> dict[str, Any]:
    """What the entry vouches for; documents as text, since their very characters are."""
    if row.kind in RESULTS:
        return {"status": row.status, "output": row.output_json, "error": row.error, "duration": row.duration}
    return {
        "agent": row.agent_id, "run": row.agent_run_id, "tool": row.tool, "turn": row.turn_number,
        "input": row.input_json,
    }  # fmt: skip


def _line(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value) + b"\n"
