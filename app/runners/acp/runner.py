"""Start a program that speaks the Agent Client Protocol, hold the conversation, and say how it ended."""

import asyncio
import importlib
import importlib.util
from collections import deque
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Literal

from app.processes import trees
from app.processes.lines import LineReader
from app.processes.spawning import GuardedProcess, spawn
from app.runners.acp.calls import Call
from app.runners.acp.conversation import Conversation
from app.runners.acp.dialogue import LAST_WORDS_S, Dialogue
from app.runners.acp.endings import failure_of_turn, in_words
from app.runners.acp.manners import DEFAULT_ENV
from app.runners.acp.wire import MAX_LINE
from app.runners.base import (
    GO_ON,
    Availability,
    Capabilities,
    ErrorType,
    Finished,
    LiveRun,
    Notice,
    Rested,
    RunSpec,
    Started,
)
from app.runners.command import find_program
from app.runners.live import QueuedRun
from app.runners.permissions import Verdict

#: Seconds in which a program has to open a conversation; the first start of a large one on a busy machine takes 20.
HANDSHAKE_S = 120.0
_INSTALL = "pip install 'agentpane[acp]'"
_MISSING = "The library of the Agent Client Protocol is not installed: pip install 'agentpane[acp]'."


class AcpRunner:
    """Runs `RunSpec.command` as an agent of the Agent Client Protocol."""

    kind = "acp"
    capabilities = Capabilities(
        live_text=True,
        tool_events=True,
        tool_durations="measured",
        tokens="partial",
        cost=True,
        resume=True,
        messages=True,
        max_turns="counted",
        tool_limits="native",
        pause="turn",
    )

    def availability(self, env: Mapping[str, str], command: tuple[str, ...] = ()) -> Availability:
        """Whether the library and the program of `command` are there."""
        if importlib.util.find_spec("acp") is None:
            return Availability(ready=False, missing=_MISSING, install=_INSTALL)
        return find_program(command, env, None)

    async def start(self, spec: RunSpec) -> LiveRun:
        """Start the program; how it went is told by `Finished`."""
        return AcpRun(spec)


class AcpRun(QueuedRun):
    """One process of a program and the prompts it is given."""

    def __init__(self, spec: RunSpec) -> None:
        self._talk = Conversation(spec.turns_before, spec.usage_before)
        self._process: GuardedProcess | None = None
        self._dialogue: Dialogue | None = None
        self._starting = asyncio.Lock()
        self._session_id = spec.resume
        #: Whether the program can go on with a conversation in another process; known once it is `_settled`.
        self._can_resume = False
        self._settled = asyncio.Event()
        self._pausing = False
        #: What the current turn was cut short for.
        self._halted_for: ErrorType | Literal["pause", "message"] | None = None
        self._stderr: deque[str] = deque(maxlen=20)
        super().__init__(spec)

    async def pause(self) -> bool:
        """Rest between two turns; a program that could not go on with its conversation stands still instead."""
        self._pausing = True
        await self._settled.wait()
        if self._can_resume:
            self.withdraw_questions()
            return False
        self._pausing = False
        return self._process is not None and await self._process.freeze()

    async def resume(self) -> None:
        self._pausing = False
        self.ask_again()
        if self._process:
            await self._process.thaw()

    async def hurry(self) -> None:
        """Cancel the turn that is going on; what was said so far is kept."""
        if (dialogue := self._dialogue) and dialogue.is_answering and self._halted_for is None:
            self._halted_for = "message"
            self.withdraw_questions()
            await dialogue.halt()

    async def _work(self) -> Finished | Rested:
        try:
            return await self._start_and_talk()
        finally:
            self._settled.set()

    async def _start_and_talk(self) -> Finished | Rested:
        found = find_program(self.spec.command, self.spec.env, self.spec.cwd)
        if not found.ready:
            return Finished(error_type="runner_missing", error=found.missing)
        if self.spec.temperature is not None:
            text = "The temperature is not used: the Agent Client Protocol has none."
            await self.emit(Notice(text=text, level="warning"))
        await asyncio.to_thread(importlib.import_module, "acp")
        process = await self._start()
        if process is None:
            return Finished(error_type=self.stop_reason)
        await self.emit(Started(pid=process.pid, start_ticks=process.start_ticks))
        reading = asyncio.create_task(self._read_stderr(process.stderr))
        try:
            return await self._talk_with(process)
        finally:
            await asyncio.wait([reading], timeout=LAST_WORDS_S)
            reading.cancel()

    async def _start(self) -> GuardedProcess | None:
        async with self._starting:  # A stop waits here, so that it never misses a process that is being made.
            if self.stop_reason is None:
                self._process = await spawn(
                    list(self.spec.command), env={**DEFAULT_ENV, **self.spec.env}, cwd=self.spec.cwd,
                    state_dir=self.spec.state_dir, marker=self.spec.run_id, has_input=True, max_line=MAX_LINE,
                    sandbox=self.spec.sandbox,
                )  # fmt: skip
        return self._process

    async def _talk_with(self, process: GuardedProcess) -> Finished | Rested:
        dialogue = self._dialogue = Dialogue(self.spec, process, self._talk, self.emit, self._heed, self._judge)
        try:
            ending = await self._converse(dialogue, process)
        except Exception as error:  # Whatever the library raises is the conversation's end; which one, the facts tell.
            ending = await self._broken_off(error, dialogue, process)
        finally:
            await process.end()
            await dialogue.close()
            for event in self._talk.break_off():
                await self.emit(event)
        return ending

    async def _converse(self, dialogue: Dialogue, process: GuardedProcess) -> Finished | Rested:
        async with asyncio.timeout(HANDSHAKE_S):
            session = await dialogue.open()
        self._session_id, self._can_resume = session.id, session.can_resume
        self._settled.set()
        started = Started(
            native_session_id=session.id, model=session.model, pid=process.pid, start_ticks=process.start_ticks
        )
        await self.emit(started)
        prompt: str | None = self.spec.prompt
        if self.spec.retell and self.spec.resume not in (None, session.id):
            prompt = await self.spec.retell(self.spec.prompt)
        while prompt is not None:
            self._halted_for = None
            if not self._pausing:
                self.ask_again()
            answer = await dialogue.prompt(prompt)
            if ending := self._ending(answer, dialogue):
                return ending
            prompt = await self._next_prompt(process)
        return self._finished(self.stop_reason)

    def _ending(self, answer: dict[str, Any], dialogue: Dialogue) -> Finished | Rested | None:
        """How the run ends with this answer; None where it may go on."""
        if self.stop_reason:
            return self._finished(self.stop_reason)
        if dialogue.violation:
            text = f"The program did something without asking, which is not allowed. {dialogue.violation}"
            return self._finished("tool_denied", text)
        stopped = str(answer.get("stopReason"))
        if stopped == "max_turn_requests" or self._halted_for == "turn_limit":
            return self._finished("turn_limit", f"The agent reached its limit of {self.spec.max_turns} turns.")
        if self._halted_for is None and (failure := failure_of_turn(stopped)):
            return self._finished(*failure)
        return self._rested() if self._pausing and self._can_resume and self._has_turns_left() else None

    async def _next_prompt(self, process: GuardedProcess) -> str | None:
        if not self._has_turns_left():
            return None
        why = self._talk.last_refusal
        if why and self._halted_for is None:  # Some programs end their turn there, without telling the model why.
            return f"That call was refused: {why} Go on without it."
        gone = trees.wait_gone(process.pid, process.start_ticks, None)
        message = await self.ask_next(gone)
        # The turn was cut short for a rest that nobody wants any more, or for a message that was taken back.
        return message or (GO_ON if self._halted_for in ("pause", "message") and not self.stop_reason else None)

    async def _judge(self, call: Call, verdict: Verdict) -> str:
        assert self._process is not None, "its program asks"
        gone = trees.wait_gone(self._process.pid, self._process.start_ticks, None)
        return await self.refusal(call.id, call.tool, call.shown_input, verdict, gone)

    async def _heed(self) -> None:
        """Cut the turn short where it may not go on: at its limit, after a violation, or for a rest."""
        dialogue = self._dialogue
        if dialogue is None or self._halted_for is not None:
            return
        if dialogue.violation:
            self._halted_for = "tool_denied"
        elif self._talk.is_between_turns and not self._has_turns_left():
            self._halted_for = "turn_limit"
        elif self._talk.is_between_turns and self._pausing and self._can_resume:
            self._halted_for = "pause"
        else:
            return
        await dialogue.halt()

    def _has_turns_left(self) -> bool:
        return not self.spec.max_turns or self._talk.turns < self.spec.max_turns

    async def _read_stderr(self, lines: LineReader) -> None:
        async for line in lines:
            if line.text.strip():
                self._stderr.append(line.text[:2000])

    async def _broken_off(self, error: Exception, dialogue: Dialogue, process: GuardedProcess) -> Finished:
        if self.stop_reason:
            return self._finished(self.stop_reason)
        patience = LAST_WORDS_S if isinstance(error, ConnectionError) and not dialogue.broken else 0.0
        is_gone = await trees.wait_gone(process.pid, process.start_ticks, patience)
        code = await process.wait() if is_gone else None
        if process.excess:
            return self._finished("process_exit", process.excess)
        name = PurePath(self.spec.command[0]).name
        why = in_words(error, name, code=code, start_error=process.start_error, broken=dialogue.broken)
        return self._finished(why[0], "\n".join([why[1], *self._stderr]))

    def _rested(self) -> Rested:
        talk = self._talk
        return Rested(turn_count=talk.turns, usage=talk.usage, native_session_id=self._session_id)

    def _finished(self, error_type: ErrorType | None, error: str | None = None) -> Finished:
        talk = self._talk
        return Finished(
            error_type=error_type,
            error=None if error_type == self.stop_reason else error,
            result=talk.result_text,
            turn_count=talk.turns,
            usage=talk.usage,
            native_session_id=self._session_id,
        )

    async def _end_processes(self) -> None:
        async with self._starting:
            if self._process:
                await self._process.end()
