"""The audit log as CSV, for a spreadsheet: one line a row, read and sent in pages, never held as a whole."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

from msgspec import Struct

from app.audit.chain import moment
from app.audit.digests import REDACTED
from app.audit.filters import Filter
from app.audit.listing import Place, places, rows_at
from app.audit.views import AuditRow
from app.postgres.reading import rows
from app.projects.rows import ProjectRow

#: Rows that are read at a time: each may be some hundred kilobytes.
PAGE = 100
COLUMNS = (
    "number", "time", "kind", "who", "what", "outcome", "about", "task_id", "task", "agent_id", "run_id", "turn",
    "duration_ms", "input", "output", "error", "redacted", "id",
)  # fmt: skip
#: With one of these a spreadsheet takes a cell for a formula, which can send what is in other cells to somebody.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

_CALLS = f"""
SELECT a.id, c.number, a.agent_id, a.agent_run_id, a.turn_number, a.input::text AS input_json,
       a.output::text AS output_json, a.error, (
           SELECT coalesce(sum({REDACTED}), 0) FROM audit_chain l WHERE l.subject_id = a.id
       )::int AS redacted
FROM audit_logs a LEFT JOIN audit_chain c ON c.subject_id = a.id AND c.kind = 'tool_call' WHERE a.id = ANY($1)
"""  # noqa: S608
_ENTRIES = "SELECT number::text AS id, content FROM audit_chain WHERE project_id = $1 AND number = ANY($2)"


class _Call(Struct, frozen=True):
    id: str
    number: int | None
    agent_id: str
    agent_run_id: str | None
    turn_number: int
    input_json: str
    output_json: str | None
    error: str | None
    redacted: int


class _Entry(Struct, frozen=True):
    id: str
    content: str


async def lines(project: ProjectRow, wanted: Filter) -> AsyncIterator[bytes]:
    """The names of the columns, then the rows that match, oldest first. Times are in UTC."""
    yield _written([COLUMNS])
    after: Place | None = None
    while found := await places(project.id, wanted, limit=PAGE, after=after):
        yield _written(await _page(project, found))
        after = found[-1]


async def _page(project: ProjectRow, wanted: list[Place]) -> list[list[Any]]:
    calls = {each.id: each for each in await rows(_Call, _CALLS, [w.id for w in wanted if w.source == "call"])}
    numbers = [int(place.id) for place in wanted if place.source == "entry"]
    entries = {each.id: each.content for each in await rows(_Entry, _ENTRIES, project.id, numbers)}
    return [_line(row, calls.get(row.id), entries.get(row.id, "")) for row in await rows_at(project.id, wanted)]


def _line(row: AuditRow, call: _Call | None, content: str) -> list[Any]:
    about = [moment(row.timestamp), row.kind, row.who, row.what, row.outcome, row.argument, row.task_id, row.task_title]
    if call is None:
        return [row.id, *about, "", "", "", "", content, "", "", "", ""]
    return [
        call.number or "", *about, call.agent_id, call.agent_run_id or "", call.turn_number,
        "" if row.duration is None else row.duration, call.input_json, call.output_json or "", call.error or "",
        call.redacted, call.id,
    ]  # fmt: skip


def _written(table: Any) -> bytes:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows([_safe(cell) for cell in line] for line in table)
    return file.getvalue().encode()


def _safe(cell: object) -> object:
    """A cell that is text and nothing else to every spreadsheet."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
