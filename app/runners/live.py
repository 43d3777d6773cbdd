"""What every live run shares: a queue between the program's reader and the one who records, and one ending."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from app.ids import create_id
from app.runners.base import AgentEvent, ErrorType, Finished, Message, Rested, RunSpec
from app.runners.tidying import tidy

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
        self._is_over = False
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
        """Hand an event on; waits while the recorder is behind."""
        await self._queue.put(tidy(event))

    async def ask_next(self, program_gone: Coroutine[Any, Any, object]) -> str | None:
        """The next message for the conversation; None when there is none, or the run or its program ends meanwhile.

        It is told as an event too, which gives it its place between the answers.
        """
        if self.spec.next_message is None:
            program_gone.close()
            return None
        asking = asyncio.ensure_future(self.spec.next_message())
        endings = [asyncio.ensure_future(each) for each in (self._stopping.wait(), program_gone)]
        try:
            await asyncio.wait([asking, *endings], return_when=asyncio.FIRST_COMPLETED)
            text = asking.result() if asking.done() else None
            if text is not None:
                await self.emit(Message(message_id=f"asked-{create_id()}", text=text, role="user"))
            return text
        finally:
            for each in (asking, *endings):
                each.cancel()

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
        await self.emit(finished)
