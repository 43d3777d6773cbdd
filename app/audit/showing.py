"""One row of the audit log in full: a tool call, in parts where it is long, or an entry of the chain.

The database makes texts of the documents and cuts the part that is shown, so a large output is never read as a whole.
"""

from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from app.audit.asked import asked_for
from app.audit.chain import parse_moment
from app.audit.describing import describe
from app.audit.digests import EMPTIED, REDACTED
from app.audit.listing import CALL_COLUMNS, CALL_JOINS, CallLine, call_row
from app.audit.offline_verify import content_of
from app.audit.reading import entry_at
from app.audit.views import AuditEntry, ChainEntryView, LinkView, Part
from app.errors import InvalidId, NotFound
from app.ids import is_id
from app.postgres.reading import one, rows
from app.projects.rows import ProjectRow
from app.web.hidden import name_hidden, without_ansi

#: Characters of a part of a long text: on its own page, and where a row of a list opens.
PART = 64 * 1024
OPENED = 8 * 1024
#: How much of an error is shown; a longer one is in the export.
_ERROR = 64 * 1024

# An output that is only texts is shown as those texts, each below its name where there are several.
_OUTPUT = """
CASE jsonb_typeof(a.output) WHEN 'string' THEN a.output #>> '{}' WHEN 'object' THEN coalesce((
    SELECT CASE count(*) WHEN 1 THEN max(value #>> '{}')
           ELSE string_agg(key || E':\\n' || (value #>> '{}'), E'\\n\\n') END
    FROM jsonb_each(a.output) WHERE value <> '""'
    HAVING count(*) > 0 AND bool_and(jsonb_typeof(value) = 'string')), jsonb_pretty(a.output))
ELSE jsonb_pretty(a.output) END
"""
_WHOLE = f"""
SELECT {CALL_COLUMNS}, a.project_id, a.agent_run_id, r.session_id,
       {EMPTIED} AS emptied, left(a.error, {_ERROR}) AS error,
       octet_length(text.input) AS input_size, char_length(text.input) AS input_length,
       substr(text.input, ($3::int - 1) * $2::int + 1, $2::int) AS input,
       octet_length(text.output) AS output_size, char_length(text.output) AS output_length,
       substr(text.output, ($4::int - 1) * $2::int + 1, $2::int) AS output
{CALL_JOINS} LEFT JOIN agent_runs r ON r.id = a.agent_run_id
CROSS JOIN LATERAL (SELECT jsonb_pretty(a.input) AS input, {_OUTPUT} AS output OFFSET 0) text
WHERE a.id = $1
"""


_LINKS = f"""
SELECT number, kind, hash, previous_hash, {REDACTED} AS redacted FROM audit_chain WHERE subject_id = $1 ORDER BY number
"""  # noqa: S608


class _Whole(CallLine, frozen=True, kw_only=True):
    project_id: str
    agent_run_id: str | None
    session_id: str | None
    emptied: bool
    error: str | None
    input: str
    input_size: int
    input_length: int
    output: str | None
    output_size: int | None
    output_length: int | None


class _Link(Struct, frozen=True):
    number: int
    kind: str
    hash: str
    previous_hash: str
    redacted: int | None


class _Event(Struct, frozen=True):
    number: int


async def audit_entry(entry_id: str, input: int = 1, output: int = 1, size: int = PART) -> tuple[str, AuditEntry]:
    """The id of the project and one call, with the part `input` of its input and `output` of its output.
    `INVALID_ID`, `AUDIT_NOT_FOUND`."""
    if not is_id(entry_id):
        raise InvalidId("That is not the id of an entry of the audit log.")
    found = await one(_Whole, _WHOLE, entry_id, size, max(1, input), max(1, output))
    if found is None:
        raise NotFound("There is no such entry in the audit log.", "AUDIT_NOT_FOUND")
    links = await rows(
        _Link,
        _LINKS,
        entry_id,
    )
    at = {"input": input, "output": output}
    return found.project_id, AuditEntry(
        row=call_row(found),
        agent_id=found.agent_id,
        agent_name=found.agent_name,
        turn_number=found.turn_number,
        status=found.status,
        refused=found.refused,
        input=_part("input", name_hidden(found.input), found.input_size, found.input_length, at, size),
        output=_part("output", _readable(found.output), found.output_size, found.output_length, at, size),
        error=_readable(found.error),
        emptied=found.emptied,
        asked=await asked_for(entry_id),
        redacted=sum(link.redacted or 0 for link in links),
        links=tuple(LinkView(link.number, link.kind, link.hash, link.previous_hash) for link in links),
        run_id=found.agent_run_id or "",
        session_id=found.session_id or "",
        event=await _event_of(found.session_id, entry_id),
    )


async def chain_entry(project: ProjectRow, number: int) -> ChainEntryView:
    """One entry of a project's chain. `AUDIT_NOT_FOUND`."""
    entry = await entry_at(project.id, number)
    if entry is None:
        raise NotFound("The chain has no entry with this number.", "AUDIT_NOT_FOUND")
    content = content_of(entry.content)
    return ChainEntryView(
        row=describe(project.id, number, entry.kind, entry.subject, entry.actor, parse_moment(entry.at), content),
        number=number,
        kind=entry.kind,
        actor=name_hidden(entry.actor),
        content=name_hidden(msgspec.json.format(entry.content, indent=2) if content else entry.content),
        hash=entry.hash,
        previous_hash=entry.previous_hash,
    )


async def _event_of(session_id: str | None, entry_id: str) -> int:
    if session_id is None:
        return 0
    event = await one(
        _Event,
        "SELECT number FROM events WHERE session_id = $1 AND kind = 'tool_call' AND payload ->> 'audit' = $2",
        session_id,
        entry_id,
    )
    return event.number if event else 0


def _part(name: str, text: str, size: int | None, length: int | None, at: dict[str, int], most: int) -> Part:
    parts, number = max(1, -(-(length or 0) // most)), max(1, at[name])
    return Part(
        text=text,
        size=size or 0,
        number=number,
        parts=parts,
        before=_address({**at, name: number - 1}) if number > 1 else "",
        after=_address({**at, name: number + 1}) if number < parts else "",
    )


def _address(at: dict[str, int]) -> str:
    return "?" + urlencode({name: number for name, number in at.items() if number > 1})


def _readable(text: str | None) -> str:
    return name_hidden(without_ansi(text or ""))
