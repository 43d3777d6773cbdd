"""Live readers in this process: one pump per topic reads what is new, renders it once, hands it to every subscriber.

A subscriber has a bounded queue; who is too slow is cut off and comes back by number.
"""

import asyncio
import contextvars
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from msgspec import Struct

from app.events.reading import PAGE, LoggedEvent
from app.events.recording import Notification

log = logging.getLogger(__name__)

#: Frames a subscriber may be behind before it is cut off.
QUEUE_LIMIT = 500
#: Seconds between comments on a quiet stream.
HEARTBEAT_S = 10.0
HEARTBEAT = b": still here\nevent: ping\n\n"


class Frame(Struct, frozen=True):
    """One message of a stream, ready to send; `number` is where a reader resumes."""

    number: int
    data: bytes


class Topic(Struct, frozen=True):
    """What a stream shows: how to read its events after a number, and how to render a batch of them."""

    key: str
    read: Callable[[int], Awaitable[list[LoggedEvent]]]
    render: Callable[[list[LoggedEvent]], Awaitable[list[Frame]]]
    last_number: Callable[[], Awaitable[int]]


class _Subscriber:
    def __init__(self) -> None:
        self.frames: deque[Frame | None] = deque()
        self.wake = asyncio.Event()
        self.closed = False

    def push(self, frame: Frame | None) -> None:
        if len(self.frames) >= QUEUE_LIMIT:
            self.closed = True
        else:
            self.frames.append(frame)
        self.wake.set()


class _Pump:
    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.subscribers: set[_Subscriber] = set()
        self.wake = asyncio.Event()
        self.ready = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        try:
            last = await self.topic.last_number()
        except Exception:
            log.exception("stream %s could not begin; its readers are sent away to resume", self.topic.key)
            return self._send_away()
        finally:
            self.ready.set()
        while True:
            await self.wake.wait()
            self.wake.clear()
            try:
                last = await self._deliver(last)
            except Exception:
                log.exception("stream %s could not read or render; its readers are sent away to resume", self.topic.key)
                self._send_away()

    async def _deliver(self, last: int) -> int:
        while events := await self.topic.read(last):
            frames = await self.topic.render(events)
            for subscriber in tuple(self.subscribers):
                for frame in frames:
                    subscriber.push(frame)
            last = events[-1].number
            if len(events) < PAGE:
                break
        return last

    def _send_away(self) -> None:
        for subscriber in self.subscribers:
            subscriber.closed = True
            subscriber.wake.set()


class Fanout:
    """Wakes the readers of this process when NOTIFY says that something was committed."""

    def __init__(self) -> None:
        self._pumps: dict[str, _Pump] = {}
        self._listeners: set[Callable[[Notification], None]] = set()
        self._heart: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        """Begin the heartbeat; call once, in the loop that serves."""
        self._heart = asyncio.create_task(self._beat(), context=contextvars.Context())

    def close(self) -> None:
        """End every stream, now and from now on."""
        self._closed = True
        for pump in self._pumps.values():
            pump._send_away()

    async def stop(self) -> None:
        """Close, and end the tasks."""
        self.close()
        tasks = [self._heart, *(pump.task for pump in self._pumps.values())]
        for task in tasks:
            if task:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)

    def listen(self, callback: Callable[[Notification], None]) -> Callable[[], None]:
        """Call `callback` with each notification; returns what ends that."""
        self._listeners.add(callback)
        return lambda: self._listeners.discard(callback)

    def on_payload(self, payload: str) -> None:
        """Something was committed."""
        note = msgspec.json.decode(payload, type=Notification)
        for callback in tuple(self._listeners):
            callback(note)
        key = f"session:{note.session_id}" if note.session_id else f"project:{note.project_id}"
        if pump := self._pumps.get(key):
            pump.wake.set()

    async def on_reconnect(self) -> None:
        """Notifications may have been missed: every topic looks for itself."""
        for pump in self._pumps.values():
            pump.wake.set()

    async def follow(self, topic: Topic, after: int) -> AsyncIterator[bytes]:
        """The topic's frames with a number greater than `after`, without a gap or a repeat, until one of us goes."""
        subscriber = _Subscriber()
        pump = self._join(topic, subscriber)
        try:
            await pump.ready.wait()
            yield b"retry: 1000\n\n"
            sent = after
            while not self._closed and (events := await topic.read(sent)):
                for frame in await topic.render(events):
                    yield frame.data
                sent = events[-1].number
            while not (subscriber.closed or self._closed):
                await subscriber.wake.wait()
                subscriber.wake.clear()
                chunk, sent = _drain(subscriber, sent)
                if chunk:
                    yield chunk
        finally:
            self._leave(pump, subscriber)

    def _join(self, topic: Topic, subscriber: _Subscriber) -> _Pump:
        pump = self._pumps.get(topic.key)
        if pump is None or (pump.task and pump.task.done()):
            pump = self._pumps[topic.key] = _Pump(topic)
            pump.task = asyncio.create_task(pump.run(), context=contextvars.Context())
        pump.subscribers.add(subscriber)
        return pump

    def _leave(self, pump: _Pump, subscriber: _Subscriber) -> None:
        pump.subscribers.discard(subscriber)
        if not pump.subscribers and self._pumps.get(pump.topic.key) is pump:
            del self._pumps[pump.topic.key]
            if pump.task:
                pump.task.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            for pump in self._pumps.values():
                for subscriber in pump.subscribers:
                    subscriber.push(None)


def _drain(subscriber: _Subscriber, sent: int) -> tuple[bytes, int]:
    parts = []
    while subscriber.frames:
        frame = subscriber.frames.popleft()
        if frame is None:
            parts.append(HEARTBEAT)
        elif frame.number > sent:
            parts.append(frame.data)
            sent = frame.number
    return b"".join(parts), sent
