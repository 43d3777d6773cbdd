"""A runner whose agents say what a test tells them. What they write, the test writes into their worktrees."""

import asyncio
from collections.abc import Mapping

from msgspec.structs import replace

from app.runners.base import (
    AgentEvent,
    Availability,
    Capabilities,
    Finished,
    LiveRun,
    Message,
    Rested,
    RunSpec,
    Started,
    ToolStarted,
)
from app.runners.live import QueuedRun


class PuppetRun(QueuedRun):
    """One run: it hands on every event that it is given, and ends with the `Finished` among them.

    Before a successful end it asks for a message, as every program does that takes some, and goes on if there is one.
    """

    def __init__(self, spec: RunSpec) -> None:
        self._script: asyncio.Queue[AgentEvent] = asyncio.Queue()
        self._waits = False
        super().__init__(spec)

    def give(self, event: AgentEvent) -> None:
        """What the agent does next; its turns are counted on from those before a pause."""
        if isinstance(event, Message | ToolStarted):
            event = replace(event, turn=event.turn + self.spec.turns_before)
        self._script.put_nowait(event)

    @property
    def rests(self) -> bool:
        """Whether it has done everything that it was given."""
        return self._waits and self._script.empty()

    async def _work(self) -> Finished | Rested:
        await self.emit(Started(native_session_id=f"talk-{self.spec.run_id}"))
        while True:
            self._waits = True
            event = await self._script.get()
            self._waits = False
            if isinstance(event, Rested):
                return event
            if not isinstance(event, Finished):
                await self.emit(event)
            elif self.stop_reason is not None:
                return Finished(error_type=self.stop_reason)
            elif event.error_type is not None or await self.ask_next(asyncio.Event().wait()) is None:
                return event

    async def pause(self) -> bool:
        """Rest at once: each thing it was given is a turn."""
        self.give(Rested(native_session_id=f"talk-{self.spec.run_id}"))
        return False

    async def resume(self) -> None:
        """It rests by then, and goes on as another run of the program."""

    async def hurry(self) -> None:
        """It is between two turns all the time."""

    async def _end_processes(self) -> None:
        self.give(Finished(error_type=self.stop_reason))


class PuppetRunner:
    """Takes the place of Claude: it remembers a conversation and takes messages while it works."""

    kind = "claude"
    capabilities = Capabilities(live_text=True, tool_events=True, resume=True, messages=True, pause="turn")

    def __init__(self) -> None:
        self.runs: dict[str, PuppetRun] = {}

    def availability(self, env: Mapping[str, str], command: tuple[str, ...] = ()) -> Availability:
        """Always there."""
        return Availability(ready=True, program="puppet")

    async def start(self, spec: RunSpec) -> LiveRun:
        """A run that waits for what it is given."""
        run = self.runs[spec.run_id] = PuppetRun(spec)
        return run
