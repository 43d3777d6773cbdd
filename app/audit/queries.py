"""What the audit log shows. A list reads one line of each call's input; only an entry reads the whole."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from app.audit.views import AuditEntry, AuditList, AuditRow
from app.errors import InvalidId, NotFound
from app.ids import is_id
from app.postgres.paging import Place, page
from app.postgres.reading import one, rows, scalar
from app.projects.rows import ProjectRow
from app.web.hidden import name_hidden, without_ansi
from app.web.paging import address

Status = Literal["", "pending", "running", "complete", "error"]

#: Characters of an argument in a list.
ARGUMENT = 300

#: The argument that says most about a call: the same keys as on a card, the first that is there.
_ARGUMENT_KEYS = ("command", "file_path", "path", "pattern", "url", "query", "description", "prompt")
_ARGUMENT = ", ".join(f"a.input ->> '{key}'" for key in _ARGUMENT_KEYS)

_COLUMNS = f"""
a.id, a.timestamp, a.tool, a.status,
left(coalesce({_ARGUMENT}, a.input::text), {ARGUMENT}) AS argument,
a.agent_id, g.name AS agent_name, a.task_id, t.title AS task_title, a.turn_number, a.duration,
w.path AS root, r.session_id
"""
_JOINS = """
FROM audit_logs a JOIN agents g ON g.id = a.agent_id
LEFT JOIN agent_runs r ON r.id = a.agent_run_id
LEFT JOIN tasks t ON t.id = a.task_id
LEFT JOIN worktrees w ON w.id = t.worktree_id
"""
_FILTER = "a.project_id = $1 AND ($2 = '' OR a.tool = $2) AND ($3 = '' OR a.status::text = $3)"
_COUNT = f"SELECT count(*) FROM audit_logs a WHERE {_FILTER}"  # noqa: S608


class _Row(Struct, frozen=True, kw_only=True):
    id: str
    timestamp: datetime
    tool: str
    status: str
    argument: str | None
    agent_id: str
    agent_name: str
    task_id: str | None
    task_title: str | None
    turn_number: int
    duration: int | None
    root: str | None
    session_id: str | None


class _Whole(_Row, frozen=True, kw_only=True):
    project_id: str
    agent_run_id: str | None
    #: Documents as text, since any JSON value may stand there.
    input_json: str
    output_json: str | None
    error: str | None


class _Id(Struct, frozen=True):
    id: str


class _Tool(Struct, frozen=True):
    tool: str


async def audit_page(project: ProjectRow, tool: str = "", status: Status = "", place: Place | None = None) -> AuditList:
    """A page of the project's tool calls, newest first."""
    select = f"SELECT {_COLUMNS} {_JOINS} WHERE {_FILTER}"
    found = await page(_Row, select, project.id, tool, status, by=("a.timestamp", "a.id"), place=place)
    refused = await _refused(found.rows)
    tools = await rows(_Tool, "SELECT DISTINCT tool FROM audit_logs WHERE project_id = $1 ORDER BY tool", project.id)
    return AuditList(
        project_id=project.id,
        rows=tuple(_view(row, row.id in refused) for row in found.rows),
        total=await scalar(_COUNT, project.id, tool, status),
        tools=tuple(row.tool for row in tools),
        tool=tool,
        status=status,
        newer=address(found.newer, tool=tool, status=status),
        older=address(found.older, tool=tool, status=status),
    )


async def audit_entry(entry_id: str) -> tuple[str, AuditEntry]:
    """The id of the project and one call in full. `INVALID_ID`, `AUDIT_NOT_FOUND`."""
    if not is_id(entry_id):
        raise InvalidId("That is not the id of an entry of the audit log.")
    found = await one(
        _Whole,
        f"SELECT {_COLUMNS}, a.project_id, a.agent_run_id, a.input::text AS input_json, a.output::text AS output_json,"
        f" a.error {_JOINS} WHERE a.id = $1",
        entry_id,
    )
    if found is None:
        raise NotFound("There is no such entry in the audit log.", "AUDIT_NOT_FOUND")
    return found.project_id, AuditEntry(
        row=_view(found, found.id in await _refused([found])),
        input=name_hidden(_indented(found.input_json)),
        input_size=len(found.input_json.encode()),
        output=name_hidden(_as_text(found.output_json)),
        output_size=len((found.output_json or "").encode()),
        error=name_hidden(without_ansi(found.error or "")),
        run_id=found.agent_run_id or "",
        session_id=found.session_id or "",
    )


async def _refused(found: Iterable[_Row]) -> set[str]:
    """The ids of those calls that were refused before they ran, as their sessions tell."""
    failed = [row for row in found if row.status == "error" and row.session_id]
    if not failed:
        return set()
    denied = await rows(
        _Id,
        "SELECT payload ->> 'audit' AS id FROM events WHERE session_id = ANY($1) AND kind = 'tool_result'"
        " AND payload ->> 'status' = 'denied' AND payload ->> 'audit' = ANY($2)",
        list({row.session_id for row in failed}),
        [row.id for row in failed],
    )
    return {row.id for row in denied}


def _view(row: _Row, refused: bool) -> AuditRow:
    argument = " ".join((row.argument or "").split())
    return AuditRow(
        id=row.id,
        timestamp=row.timestamp,
        tool=name_hidden(row.tool),
        status=row.status,
        argument=name_hidden(argument.removeprefix(f"{row.root}/") if row.root else argument),
        agent_id=row.agent_id,
        agent_name=row.agent_name,
        task_id=row.task_id or "",
        task_title=row.task_title or "",
        turn_number=row.turn_number,
        duration=row.duration,
        refused=refused,
    )


def _indented(document: str) -> str:
    return msgspec.json.format(document, indent=2)


def _as_text(document: str | None) -> str:
    """An output that is only texts as those texts, each below its name where there are several; else indented JSON."""
    if document is None:
        return ""
    value = msgspec.json.decode(document)
    if isinstance(value, str):
        return without_ansi(value)
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        return _indented(document)
    texts = {name: without_ansi(text) for name, text in value.items() if text}
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "\n\n".join(f"{name}:\n{text}" for name, text in texts.items())
