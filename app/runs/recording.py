"""The one writer of what an agent says and does: events, audit rows and counters, a batch in one transaction."""

import asyncio
from collections.abc import Sequence
from typing import Any

from app.postgres.reading import execute
from app.processes.redacting import Redactor
from app.projects.locking import locked
from app.runners import base
from app.runs.budgeting import Accounts
from app.runs.calls import Calls
from app.runs.claiming import Claim
from app.runs.run_log import RunLog
from app.runs.speech import Speech, join_pieces
from app.runs.tables import RunDetail
from app.sessions.rows import QueuedMessage

#: Seconds in which a call that is asked for must have come to be written.
WRITTEN_S = 5.0


class Recorder:
    """Writes the events of one run. Not to be shared between tasks."""

    def __init__(self, claim: Claim, agent_name: str, clean: Redactor) -> None:
        self.claim = claim
        self.clean = clean
        self._log = RunLog(claim, agent_name, clean)
        self._speech = Speech(self._log)
        self._calls = Calls(self._log)
        self.accounts = Accounts(claim)
        self._turn = 0
        #: Told whenever something was written.
        self._wrote = asyncio.Condition()

    async def write(self, batch: Sequence[base.AgentEvent], *, ends: bool = False) -> None:
        """Store a batch, all of it or none of it, then everybody hears of it. How it ends, others write.

        With `ends` nothing comes after it, so that no limit needs to end the run.
        """
        if not batch:
            return
        async with locked(self.claim.project_id):
            turn = self._turn
            for event in join_pieces(batch):
                await self._write(event)
            used = [event for event in batch if isinstance(event, base.Usage)]
            if used or self._turn > turn:
                await self.accounts.count(used[-1] if used else None, judge=not ends)
        async with self._wrote:
            self._wrote.notify_all()

    async def place_of(self, call_id: str) -> tuple[str, str | None]:
        """How the record names a call, and its row of the audit log, once it is written; None if it never is."""
        try:
            async with asyncio.timeout(WRITTEN_S), self._wrote:
                await self._wrote.wait_for(lambda: self._calls.audit_of(call_id))
        except TimeoutError:
            pass  # A program that asks for a call it never told of: the question stands without it.
        return self._log.key(call_id), self._calls.audit_of(call_id)

    def expect(self, message: QueuedMessage) -> None:
        """The next message of a `user` that the run tells is this one."""
        self._speech.expect(message)

    async def close_what_is_open(self, why: str) -> None:
        """Close the calls and the messages that the end of the run cut off. In the project's lock."""
        await self._calls.close_all(why)
        await self._speech.keep_pieces()

    async def _write(self, event: base.AgentEvent) -> None:
        match event:
            case base.Started():
                await self._started(event)
            case base.TextDelta():
                await self._speech.piece(event)
            case base.Message():
                await self._take_turn(event.turn)
                await self._speech.whole(event)
            case base.ToolStarted():
                await self._take_turn(event.turn)
                await self._calls.started(event, self._turn)
            case base.ToolRunning():
                await self._calls.running(event)
            case base.ToolFinished():
                await self._calls.finished(event)
            case base.Usage():
                await self._usage(event)
            case base.Retry():
                await self._log.tell("status", {"text": _retry_text(event), "status": "retry"})
            case base.Notice():
                kind = "error" if event.level == "error" else "status"
                text = self.clean.counted(event.text)
                await self._log.tell(kind, {"text": text.value, "status": event.level}, cut=text.cut)

    async def _started(self, event: base.Started) -> None:
        values: dict[Any, Any] = {}
        if event.native_session_id:
            values[RunDetail.native_session_id] = event.native_session_id
        if event.model:
            values[RunDetail.model] = self.clean.text(event.model)
        if event.pid:
            values |= {RunDetail.pid: event.pid, RunDetail.start_ticks: event.start_ticks}
        if values:
            await RunDetail.update(values).where(RunDetail.run_id == self.claim.run_id)

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
        if turn <= self._turn:
            return
        self._turn = turn
        await execute("UPDATE agent_runs SET turn_count = $2 WHERE id = $1", self.claim.run_id, turn)


def _retry_text(event: base.Retry) -> str:
    of = f" of {event.max_attempts}" if event.max_attempts else ""
    why = f" (HTTP {event.status})" if event.status else ""
    return f"The model's service refused{why}; try {event.attempt}{of}"
