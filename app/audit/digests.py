"""Rows of the audit log as the chain knows them: the database makes the digests, so nothing large is read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from app.audit.calls import digest
from app.audit.chain import moment
from app.postgres.reading import rows

#: Whether input, output and error of the call `a` were emptied; an agent's input is an object, so none is like this.
EMPTIED = "(a.input = 'null'::jsonb AND a.output IS NULL AND a.error IS NULL)"

#: How many secrets were cut out of what an entry of a call tells of; read as text, since somebody may have altered it.
REDACTED = "substring(content from '\"redacted\":([0-9]{1,6})')::int"

_SELECT = f"""
SELECT id, agent_id AS agent, agent_run_id AS run, tool, turn_number AS turn, timestamp, status::text AS status,
       duration,
       {digest("input::text")} AS input, {digest("output::text")} AS output, {digest("error")} AS error,
       {EMPTIED} AS emptied
FROM audit_logs a WHERE project_id = $1 AND id = ANY($2)
"""  # noqa: S608


class CallRow(Struct, frozen=True):
    """A tool call with the digests of what it took and gave."""

    id: str
    agent: str
    run: str | None
    tool: str
    turn: int
    timestamp: datetime
    status: str
    duration: int | None
    input: str
    output: str | None
    error: str | None
    emptied: bool

    @property
    def moment(self) -> str:
        """When it began, as entries write it."""
        return moment(self.timestamp)

    def as_row(self) -> dict[str, Any]:
        """What the entries of the chain are compared with."""
        names = ("agent", "run", "tool", "turn", "status", "duration", "input", "output", "error")
        return {name: getattr(self, name) for name in names} | {"at": self.moment}


async def call_rows(project_id: str, ids: Sequence[str]) -> dict[str, CallRow]:
    """The calls with these ids."""
    return {row.id: row for row in await rows(CallRow, _SELECT, project_id, list(set(ids)))}
