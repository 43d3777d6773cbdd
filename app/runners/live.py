"""What every live run shares: a queue between the program's reader and the one who records, and one ending."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Coroutine
from typing import Any, TypeVar

import msgspec

from app.ids import create_id
from app.runners.allowance import Allowance
from app.runners.base import AgentEvent, Answer, ErrorType, Finished, Message, Question, Rested, RunSpec
from app.runners.permissions import Verdict
from app.runners.tidying import tidy

Wanted = TypeVar("Wanted")

#: What the model is told of a call for which nobody was waited any longer.
UNANSWERED = (
    "This call was not answered before the run was paused, ended or told something else. Make it again if you need it."
)
#: Events that may wait to be recorded; a full queue makes the program wait.
QUEUE_SIZE = 1000


class QueuedRun(ABC):
    """A `LiveRun` whose `_work()` emits events in a task of its own and returns the last one."""

    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec
        #: Why somebody stopped this run; the first reason counts.
        self.stop_reason: ErrorType | None = None
        self._queue: asyncio.Queue[AgentEvent] = asyncio.Queue(QUEUE_SIZE)
        self._stopping = asyncio.Event()
        #: Set while nobody is to be asked, as during a pause.
        self._withdrawing = asyncio.Event()
        self._is_over = False
        self._allowance = Allowance()
        self._cutting_off: asyncio.Task[None] | None = None
        self._task = asyncio.create_task(self._run(), name=f"run {spec.run_id}")

    async def events(self) -> AsyncIterator[AgentEvent]:
        """Yield what happens, in order; ends after the one `Finished` or `Rested`."""
        while True:
            event = await self._queue.get()
            yield event
            if isinstance(event, Finished | Rested):
                return

    async def stop(self, reason: ErrorType = "stopped") -> None:
        """End the run with `reason`; returns when none of its processes is left."""
        if self._is_over:
            return
        self.stop_reason = self.stop_reason or reason
        self._stopping.set()
        await self._end_processes()

    async def emit(self, event: AgentEvent) -> None:
        """Hand an event on; waits while the recorder is behind. Beyond what is kept of one run the run is ended."""
        for kept in self._allowance.take(tidy(event)):
            await self._queue.put(kept)
        if self._allowance.is_used_up and self._cutting_off is None:
            self._cutting_off = asyncio.create_task(self.stop("process_exit"))

    async def ask_next(self, program_gone: Coroutine[Any, Any, object]) -> str | None:
        """The next message for the conversation; None when there is none, or the run or its program ends meanwhile.

        It is told as an event too, which gives it its place between the answers.
        """
        if self.spec.next_message is None:
            program_gone.close()
            return None
        text = await _unless(self.spec.next_message(), self._stopping.wait(), program_gone)
        if text is not None:
            await self.emit(Message(message_id=f"asked-{create_id()}", text=text, role="user"))
        return text

    async def refusal(
        self,
        call_id: str,
        tool: str,
        given: dict[str, Any],
        verdict: Verdict,
        program_gone: Coroutine[Any, Any, object],
    ) -> str:
        """Why a call does not run, for the model; empty when it does.

        A person who must be asked is waited for until the answer is there, the run is stopped or paused, or its program
        is gone.
        """
        if verdict.decision != "ask" or self.spec.ask is None:
            program_gone.close()
            return "" if verdict.decision == "allow" else _nobody_asked(verdict)
        question = Question(
            call_id=call_id, tool=tool, input=given, rule=verdict.rule, why=verdict.why, asking=verdict.asking
        )
        endings = (self._stopping.wait(), self._withdrawing.wait(), program_gone)
        answer = await _unless(self.spec.ask(question), *endings)
        return UNANSWERED if answer is None else _worded(answer)

    def withdraw_questions(self) -> None:
        """Take back what people are asked, and ask nothing more; the model may make the calls again."""
        self._withdrawing.set()

    def ask_again(self) -> None:
        """From now on people are asked again."""
        self._withdrawing.clear()

    @abstractmethod
    async def pause(self) -> bool:
        """Ask the run to rest; says whether its processes stand still now."""

    @abstractmethod
    async def resume(self) -> None:
        """Take a request to rest back, or let what stands still go on."""

    @abstractmethod
    async def hurry(self) -> None:
        """Cut the current turn off for a message; a program that takes none goes on."""

    @abstractmethod
    async def _work(self) -> Finished | Rested:
        """Run the program to its end or its rest. Every process of it has ended when this returns."""

    @abstractmethod
    async def _end_processes(self) -> None:
        """End whatever runs now, and keep `_work` from starting anything else."""

    async def _run(self) -> None:
        finished: Finished | Rested
        try:
            finished = await self._work()
        except Exception as error:  # The stream's promise: what goes wrong is told by Finished, never by silence.
            finished = Finished(error_type="setup_failed", error=f"{type(error).__name__}: {error}")
            with contextlib.suppress(OSError):
                await self._end_processes()
        self._is_over = True
        if self._allowance.is_used_up and isinstance(finished, Finished):
            finished = msgspec.structs.replace(finished, error=self._allowance.why)
        await self.emit(finished)


async def _unless(wanted: Awaitable[Wanted], *endings: Coroutine[Any, Any, object]) -> Wanted | None:
    """What is waited for; None, and it is cancelled, when one of `endings` comes first."""
    waiting = asyncio.ensure_future(wanted)
    others = [asyncio.ensure_future(each) for each in endings]
    try:
        await asyncio.wait([waiting, *others], return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else None
    finally:
        for each in (waiting, *others):
            each.cancel()


def _nobody_asked(verdict: Verdict) -> str:
    return f"{verdict.why} Nobody can be asked here." if verdict.decision == "ask" else verdict.why


def _worded(answer: Answer) -> str:
    if answer.allowed:
        return ""
    return f"{answer.by or 'A person'} refused this call{': ' + answer.note if answer.note else '.'}"
