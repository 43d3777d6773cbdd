"""What an agent does: each tool call is one audit row, from its start to its end."""

from typing import Any

from msgspec import Struct

from app.audit.calls import Call, Result, begin_call, end_call
from app.audit.tables import AuditLog
from app.events.recording import record
from app.postgres.reading import execute, rows
from app.runners import base
from app.runs.run_log import RunLog
from app.runs.tables import RunDetail
from app.runs.telling import activity_line, preview

#: Calls of one run that are open at a time; the oldest is closed for one more.
MOST_OPEN = 1_000


class _OpenCall(Struct):
    call_id: str
    audit_id: str
    tool: str


class _Call(Struct):
    audit_id: str
    tool: str


class Calls:
    """Writes the tool calls of one run. Every method is called in the project's lock."""

    def __init__(self, log: RunLog) -> None:
        self._log = log
        #: By the id that is ours.
        self._open: dict[str, _Call] = {}

    async def started(self, event: base.ToolStarted, turn: int) -> None:
        """The agent asked for a call."""
        key = self._log.key(event.call_id)
        if key in self._open:
            await self._close(key, "The program began another call under the same id.")
        if len(self._open) >= MOST_OPEN:
            await self._close(next(iter(self._open)), f"The program began {MOST_OPEN} calls without ending this one.")
        (tool, arguments), cut = self._cleaned(event.tool, event.input)
        audit_id = await self._begin(tool, arguments, turn, cut)
        self._open[key] = _Call(audit_id, tool)
        payload = {
            "call": key, "audit": audit_id, "tool": tool, "input": preview(arguments),
            "turn": turn,
        }  # fmt: skip
        await self._log.tell("tool_call", payload, cut=cut)
        await self._show_on_card(activity_line(tool, arguments))

    def audit_of(self, call_id: str) -> str | None:
        """The row of a call that goes on."""
        call = self._open.get(self._log.key(call_id))
        return call.audit_id if call else None

    async def running(self, event: base.ToolRunning) -> None:
        """The call passed every check."""
        if call := self._open.get(self._log.key(event.call_id)):
            await AuditLog.update({AuditLog.status: "running"}).where(AuditLog.id == call.audit_id)

    async def finished(self, event: base.ToolFinished) -> None:
        """The call ended; one that nobody began is passed over."""
        await self._finish(self._log.key(event.call_id), event)

    async def _close(self, key: str, why: str) -> None:
        await self._finish(key, base.ToolFinished(call_id=key, status="error", error=why))

    async def _finish(self, key: str, event: base.ToolFinished) -> None:
        call = self._open.pop(key, None)
        if call is None:
            return
        (output, error), cut = self._cleaned(event.output, event.error or None)
        is_ok, refused = event.status == "complete", event.status == "denied"
        result = Result(
            is_ok=is_ok, refused=refused, output=output, error=error, duration=event.duration_ms, redacted=cut
        )
        await end_call(self._log.claim.project_id, call.audit_id, result, self._log.actor)
        payload = {
            "call": key, "audit": call.audit_id, "tool": call.tool, "status": event.status,
            "output": preview(output), "error": preview(error), "duration": event.duration_ms,
        }  # fmt: skip
        await self._log.tell("tool_result", payload, cut=cut)

    async def close_all(self, why: str) -> None:
        """End the calls that the end of the run cut off, also those that another process saw begin."""
        await self._adopt()
        for key in list(self._open):
            await self._close(key, why)

    def _cleaned(self, *values: Any) -> tuple[list[Any], int]:
        """What may be stored of each, and how many secrets were cut out of all."""
        cleaned = self._log.clean.counted(values)
        return cleaned.value, cleaned.cut

    async def _adopt(self) -> None:
        claim = self._log.claim
        for row in await rows(
            _OpenCall,
            "SELECT e.payload ->> 'call' AS call_id, a.id AS audit_id, a.tool FROM audit_logs a"
            " JOIN events e ON e.session_id = $2 AND e.kind = 'tool_call' AND e.payload ->> 'audit' = a.id"
            " WHERE a.agent_run_id = $1 AND a.status IN ('pending', 'running')",
            claim.run_id,
            claim.session_id,
        ):
            self._open[row.call_id] = _Call(row.audit_id, row.tool)

    async def _begin(self, tool: str, arguments: Any, turn: int, cut: int) -> str:
        claim = self._log.claim
        call = Call(
            agent_id=claim.agent_id, run_id=claim.run_id, task_id=claim.task_id, session_id=claim.session_id,
            tool=tool, input=arguments, turn=turn, redacted=cut,
        )  # fmt: skip
        await execute("UPDATE sessions SET tool_call_count = tool_call_count + 1 WHERE id = $1", claim.session_id)
        return await begin_call(claim.project_id, call, self._log.actor)

    async def _show_on_card(self, activity: str) -> None:
        claim = self._log.claim
        await RunDetail.update({RunDetail.activity: activity}).where(RunDetail.run_id == claim.run_id)
        if claim.task_id is None:
            return
        payload = {"activity": activity}
        await record(claim.project_id, "task.activity", actor=self._log.actor, subject=claim.task_id, payload=payload)
