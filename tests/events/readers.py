"""Readers of a stream, and the log of a project as a topic whose frames hold nothing but their number."""

import asyncio
import re

from app.events import reading
from app.events.fanout import Fanout, Frame, Topic
from app.events.reading import LoggedEvent
from app.events.recording import SYSTEM, record
from app.events.stream import frame
from app.projects.locking import locked

PATIENCE_S = 20.0


class ProjectLog:
    """The events of one project as a topic. `is_away` makes the database fail."""

    def __init__(self, project_id: str) -> None:
        self.is_away = False
        #: The numbers of all events that were ever rendered.
        self.rendered: list[int] = []
        #: Set when somebody has read all there is.
        self.read_up = asyncio.Event()
        self.topic = self._topic(project_id)

    def _topic(self, project_id: str) -> Topic:
        async def read(after: int) -> list[LoggedEvent]:
            self._require_database()
            events = await reading.of_project(project_id, after)
            if not events:
                self.read_up.set()
            return events

        async def render(events: list[LoggedEvent]) -> list[Frame]:
            self.rendered += [event.number for event in events]
            return [frame(event.number, event.kind, f"<p>{event.number}</p>") for event in events]

        async def last_number() -> int:
            self._require_database()
            return await reading.last_number(project_id)

        return Topic(f"project:{project_id}", read, render, last_number)

    def _require_database(self) -> None:
        if self.is_away:
            raise ConnectionError("the database is away")


class Reader:
    """One reader of a topic, with the numbers it has seen."""

    def __init__(self, fanout: Fanout, log: ProjectLog, after: int) -> None:
        self.numbers: list[int] = []
        self._log = log
        self._stream = fanout.follow(log.topic, after)
        self._next: asyncio.Task[bytes] | None = None

    async def open(self) -> "Reader":
        """Begin, as a browser does: the first thing that comes is how long to wait before coming back."""
        assert await self.chunk() == b"retry: 1000\n\n"
        return self

    async def live(self) -> "Reader":
        """Begin, and be past all that was there before: what comes now is pushed."""
        await self.open()
        self._log.read_up.clear()
        self._next = asyncio.ensure_future(anext(self._stream))
        await asyncio.wait_for(self._log.read_up.wait(), PATIENCE_S)
        return self

    async def chunk(self) -> bytes:
        """The next bytes; empty when the stream has ended. Who stops waiting for it has gone away."""
        coming, self._next = self._next or asyncio.ensure_future(anext(self._stream)), None
        try:
            data = await asyncio.wait_for(coming, PATIENCE_S)
        except StopAsyncIteration:
            return b""
        self.numbers += [int(number) for number in re.findall(rb"^id: (\d+)$", data, re.MULTILINE)]
        return data

    async def until(self, number: int) -> list[int]:
        """Read on until `number` has come."""
        async with asyncio.timeout(PATIENCE_S):
            while number not in self.numbers:
                assert await self.chunk(), f"the stream ended before {number}"
        return self.numbers

    async def to_the_end(self) -> list[int]:
        """Read until the stream ends."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.chunk():
                pass
        return self.numbers

    async def close(self) -> None:
        """Go away."""
        if self._next is not None:
            self._next.cancel()
            await asyncio.wait([self._next])
        await self._stream.aclose()


async def write(project_id: str, count: int = 1) -> list[int]:
    """So many events in one transaction; their numbers."""
    async with locked(project_id):
        return [await record(project_id, "task.edited", actor=SYSTEM, subject="t") for _ in range(count)]
