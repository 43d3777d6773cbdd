"""The one writer of what an agent says and does: events, audit rows and counters, a batch in one transaction."""

import re
from collections import deque
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from app.audit.tables import AuditLog
from app.events.recording import Actor, record
from app.ids import create_id
from app.postgres.reading import execute, rows
from app.processes.redacting import Redactor
from app.projects.locking import locked
from app.runners import base
from app.runs.claiming import Claim
from app.runs.tables import RunDetail
from app.runs.telling import activity_line, preview

_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class _OpenCall(Struct):
    call_id: str
    audit_id: str
    tool: str


class _Draft(Struct):
    key: str
    text: str


class _Call(Struct):
    audit_id: str
    tool: str


class Recorder:
    """Writes the events of one run. Not to be shared between tasks."""

    def __init__(self, claim: Claim, agent_name: str, redactor: Redactor) -> None:
        self.claim = claim
        self.actor = Actor("agent", agent_name)
        self.clean = redactor
        self._prefix = claim.run_id[-6:]
        self.turn = 0
        self._calls: dict[str, _Call] = {}
        self._messages: set[str] = set()
        self._authors: deque[Actor] = deque()
        #: By message, the end of what came that may be the beginning of a secret.
        self._held: dict[str, str] = {}

    async def write(self, batch: Sequence[base.AgentEvent]) -> None:
        """Store a batch, all of it or none of it, then everybody hears of it. `Finished` is written by `finishing`."""
        if not batch:
            return
        async with locked(self.claim.project_id):
            for event in _merge_deltas(batch):
                await self._write_one(event)

    def expect_message_of(self, author: Actor) -> None:
        """The next message of a `user` that the run tells is this person's."""
        self._authors.append(author)

    async def close_what_is_open(self, why: str) -> None:
        """Close the calls and the messages that the end of the run cut off. In the project's lock."""
        await self._adopt_open_calls()
        for call_id in list(self._calls):
            await self._tool_finished(base.ToolFinished(call_id=call_id, status="error", error=why))
        await self._keep_drafts()

    async def _adopt_open_calls(self) -> None:
        """Also those of a run that another process began."""
        for row in await rows(
            _OpenCall,
            "SELECT e.payload ->> 'call' AS call_id, a.id AS audit_id, a.tool FROM audit_logs a"
            " JOIN events e ON e.session_id = $2 AND e.kind = 'tool_call' AND e.payload ->> 'audit' = a.id"
            " WHERE a.agent_run_id = $1 AND a.status IN ('pending', 'running')",
            self.claim.run_id,
            self.claim.session_id,
        ):
            self._calls[row.call_id.removeprefix(f"{self._prefix}-")] = _Call(row.audit_id, row.tool)

    async def _keep_drafts(self) -> None:
        """What was being written, as far as it came, as whole messages."""
        drafts = await rows(
            _Draft,
            "SELECT payload ->> 'message' AS key, string_agg(payload ->> 'text', '' ORDER BY number) AS text"
            " FROM events WHERE session_id = $1 AND subject = $2 AND kind = 'message'"
            " AND (payload ->> 'partial')::boolean GROUP BY 1 ORDER BY min(number)",
            self.claim.session_id,
            self.claim.run_id,
        )
        held = {self._key(message_id): text for message_id, text in self._held.items()}
        for draft in drafts:
            await self._drop_deltas(draft.key)
            await self._tell_message(draft.key, draft.text + held.get(draft.key, ""))

    def _key(self, program_id: str) -> str:
        """A program's own id as one that no other run has, and that is safe as a part of an element's id."""
        safe = program_id if _SAFE_ID.fullmatch(program_id) else sha256(program_id.encode()).hexdigest()[:16]
        return f"{self._prefix}-{safe}"

    async def _write_one(self, event: base.AgentEvent) -> None:
        match event:
            case base.Started():
                await self._started(event)
            case base.TextDelta():
                await self._delta(event)
            case base.Message():
                await self._message(event)
            case base.ToolStarted():
                await self._tool_started(event)
            case base.ToolRunning():
                await self._tool_running(event)
            case base.ToolFinished():
                await self._tool_finished(event)
            case base.Usage():
                await self._usage(event)
            case base.Retry():
                await self._tell("status", {"text": _retry_text(event), "status": "retry"})
            case base.Notice():
                kind = "error" if event.level == "error" else "status"
                await self._tell(kind, {"text": self.clean.text(event.text), "status": event.level})

    async def _started(self, event: base.Started) -> None:
        values: dict[Any, Any] = {}
        if event.native_session_id:
            values[RunDetail.native_session_id] = event.native_session_id
        if event.model:
            values[RunDetail.model] = event.model
        if event.pid:
            values |= {RunDetail.pid: event.pid, RunDetail.start_ticks: event.start_ticks}
        if values:
            await RunDetail.update(values).where(RunDetail.run_id == self.claim.run_id)

    async def _delta(self, event: base.TextDelta) -> None:
        self._messages.add(event.message_id)
        text = self.clean.text(self._held.pop(event.message_id, "") + event.text)
        if held := self.clean.open_end(text):
            self._held[event.message_id] = text[-held:]
            text = text[:-held]
        if text:
            await self._tell("message", {"message": self._key(event.message_id), "text": text, "partial": True})

    async def _message(self, event: base.Message) -> None:
        key = self._key(event.message_id)
        if event.message_id in self._messages:
            await self._drop_deltas(key)
            self._held.pop(event.message_id, None)
        await self._take_turn(event.turn)
        author = self._authors.popleft() if event.role == "user" and self._authors else self.actor
        await self._tell_message(key, event.text, event.role, author)

    async def _tell_message(self, key: str, text: str, role: str = "assistant", author: Actor | None = None) -> None:
        await self._tell("message", {"message": key, "text": self.clean.text(text), "role": role}, author)
        await execute("UPDATE sessions SET message_count = message_count + 1 WHERE id = $1", self.claim.session_id)

    async def _drop_deltas(self, key: str) -> None:
        """The whole message takes the place of its pieces; who resumes from a piece gets the whole."""
        await execute(
            "DELETE FROM events WHERE session_id = $1 AND kind = 'message' AND subject = $2"
            " AND payload ->> 'message' = $3 AND (payload ->> 'partial')::boolean",
            self.claim.session_id,
            self.claim.run_id,
            key,
        )

    async def _tool_started(self, event: base.ToolStarted) -> None:
        await self._take_turn(event.turn)
        if event.call_id in self._calls:
            error = "The program began another call under the same id."
            await self._tool_finished(base.ToolFinished(call_id=event.call_id, status="error", error=error))
        tool = self.clean.text(event.tool)
        arguments = self.clean.value(event.input)
        audit_id = create_id()
        self._calls[event.call_id] = _Call(audit_id, tool)
        await AuditLog.insert(
            AuditLog(
                id=audit_id,
                agent_id=self.claim.agent_id,
                agent_run_id=self.claim.run_id,
                task_id=self.claim.task_id,
                project_id=self.claim.project_id,
                tool=tool,
                input=_json(arguments),
                turn_number=self.turn,
            )
        )
        activity = activity_line(tool, arguments)
        await RunDetail.update({RunDetail.activity: activity}).where(RunDetail.run_id == self.claim.run_id)
        await execute("UPDATE sessions SET tool_call_count = tool_call_count + 1 WHERE id = $1", self.claim.session_id)
        await self._tell(
            "tool_call",
            {
                "call": self._key(event.call_id),
                "audit": audit_id,
                "tool": tool,
                "input": preview(arguments),
                "turn": self.turn,
            },
        )
        await record(
            self.claim.project_id, "task.activity", actor=self.actor, subject=self.claim.task_id,
            payload={"activity": activity},
        )  # fmt: skip

    async def _tool_running(self, event: base.ToolRunning) -> None:
        call = self._calls.get(event.call_id)
        if call is not None:
            await AuditLog.update({AuditLog.status: "running"}).where(AuditLog.id == call.audit_id)

    async def _tool_finished(self, event: base.ToolFinished) -> None:
        call = self._calls.pop(event.call_id, None)
        if call is None:
            return
        output = self.clean.value(event.output)
        error = self.clean.text(event.error) if event.error else None
        await AuditLog.update(
            {
                AuditLog.status: "complete" if event.status == "complete" else "error",
                AuditLog.output: None if output is None else _json(output),
                AuditLog.error: error or ("The call was refused." if event.status == "denied" else None),
                AuditLog.duration: event.duration_ms,
            }
        ).where(AuditLog.id == call.audit_id)
        await self._tell(
            "tool_result",
            {
                "call": self._key(event.call_id), "audit": call.audit_id, "tool": call.tool, "status": event.status,
                "output": preview(output), "error": preview(error), "duration": event.duration_ms,
            },
        )  # fmt: skip

    async def _usage(self, event: base.Usage) -> None:
        await execute(
            "UPDATE agent_runs SET token_input_count = $2, token_output_count = $3 WHERE id = $1",
            self.claim.run_id,
            event.input_tokens,
            event.output_tokens,
        )
        if event.cost_usd is not None:
            micros = round(event.cost_usd * 1_000_000)
            await RunDetail.update({RunDetail.cost_usd_micros: micros}).where(RunDetail.run_id == self.claim.run_id)

    async def _take_turn(self, turn: int) -> None:
        if turn <= self.turn:
            return
        self.turn = turn
        await execute("UPDATE agent_runs SET turn_count = $2 WHERE id = $1", self.claim.run_id, turn)

    async def _tell(self, kind: str, payload: dict[str, Any], actor: Actor | None = None) -> None:
        await record(
            self.claim.project_id, kind, actor=actor or self.actor, subject=self.claim.run_id,
            session_id=self.claim.session_id, payload=payload,
        )  # fmt: skip


def _merge_deltas(batch: Sequence[base.AgentEvent]) -> list[base.AgentEvent]:
    """Neighbouring pieces of one message as one piece; pieces whose whole message is in the batch fall away."""
    whole = {event.message_id for event in batch if isinstance(event, base.Message)}
    merged: list[base.AgentEvent] = []
    for event in batch:
        if not isinstance(event, base.TextDelta):
            merged.append(event)
        elif event.message_id not in whole:
            last = merged[-1] if merged else None
            if isinstance(last, base.TextDelta) and last.message_id == event.message_id:
                merged[-1] = base.TextDelta(message_id=event.message_id, text=last.text + event.text)
            else:
                merged.append(event)
    return merged


def _retry_text(event: base.Retry) -> str:
    of = f" of {event.max_attempts}" if event.max_attempts else ""
    why = f" (HTTP {event.status})" if event.status else ""
    return f"The model's service refused{why}; try {event.attempt}{of}"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
