"""From the commit of an event to the sockets of 200 viewers of a board, against a raw broadcast of the same bytes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from urllib.parse import urlsplit

from app.events.reading import last_number
from app.tasks.editing import edit_task
from app.tasks.forms import TaskEdit
from app.tasks.rows import tasks_of
from bench.filling import SOMEBODY
from bench.harness import ROUNDS, Place, a_board, median, percentile, ratio, yardstick
from bench.report import Line, measure

VIEWERS = 200
EVENTS = 20
#: Seconds until every viewer must have an event.
_PATIENCE_S = 10.0

Speak = Callable[[str], Awaitable[float]]


async def main() -> Sequence[Line]:
    """Alternate our stream and the broadcast, with 200 sockets each that stay open all the while."""
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(a_board())
        raw, _ = await stack.enter_async_context(yardstick("broadcast"))
        after = await last_number(place.project.id)
        ours = await _Audience.of(place.url, _stream_request(place, after))
        edit = await _editor(place)
        sample = await ours.sample(edit)
        theirs = await _Audience.of(raw, b"listen\n")
        say = await _broadcaster(raw, sample)
        return await _compare(((ours, edit), (theirs, say)), len(sample))


async def _compare(sides: tuple[tuple["_Audience", Speak], ...], size: int) -> list[Line]:
    delays: list[list[list[float]]] = [[] for _ in sides]
    for round_number in range(ROUNDS):
        for side, (audience, speak) in enumerate(sides):
            heard: list[float] = []
            for number in range(EVENTS):
                heard += await audience.delays(speak, f"Event {side}-{round_number}-{number:03}.")
            delays[side].append(heard)
    ours, raw = ([[percentile(each, share) * 1000 for each in side] for share in (0.5, 0.99)] for side in delays)
    return _lines(ours, raw, size)


def _lines(ours: list[list[float]], raw: list[list[float]], size: int) -> list[Line]:
    return [
        Line(f"commit to the socket of {VIEWERS} viewers, {name}; raw asyncio broadcast of the same {size:,} bytes",
             f"{median(mine):.1f} ms", f"{median(other):.1f} ms", ratio(mine, other), wanted)
        for name, mine, other, wanted in zip(("p50", "p99"), ours, raw, ("≤ 3", ""), strict=True)
    ]  # fmt: skip


class _Audience:
    """Sockets that note when a marked event has come."""

    def __init__(self) -> None:
        self._marker = b""
        self._heard: list[float] = []
        self._all = asyncio.Event()
        self._viewers: list[_Viewer] = []

    @classmethod
    async def of(cls, url: str, request: bytes) -> "_Audience":
        """`VIEWERS` open sockets that have said `request`."""
        audience, parts = cls(), urlsplit(url)
        for _ in range(VIEWERS):
            _, viewer = await asyncio.get_running_loop().create_connection(
                partial(_Viewer, audience, request), parts.hostname or "", parts.port or 80
            )
            audience._viewers.append(viewer)
        await asyncio.sleep(0.5)
        return audience

    async def delays(self, speak: Speak, marker: str) -> list[float]:
        """Say `marker`; the seconds until each viewer heard it."""
        self._marker, self._heard = marker.encode(), []
        self._all.clear()
        for viewer in self._viewers:
            viewer.tail = b""
        said_at = await speak(marker)
        async with asyncio.timeout(_PATIENCE_S):
            await self._all.wait()
        return [at - said_at for at in self._heard]

    async def sample(self, speak: Speak) -> bytes:
        """Everything the first viewer got for one event."""
        await self.delays(speak, "Event of the sample.")
        return self._viewers[0].tail

    def hears(self, viewer: "_Viewer") -> None:
        """A viewer got bytes."""
        if (
            self._marker
            and self._marker in viewer.tail
            and len(self._heard) < VIEWERS
            and not viewer.done(self._marker)
        ):
            self._heard.append(time.perf_counter())
            if len(self._heard) == VIEWERS:
                self._all.set()


class _Viewer(asyncio.Protocol):
    def __init__(self, audience: _Audience, request: bytes) -> None:
        self._audience = audience
        self._request = request
        self._last = b""
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.tail += data
        self._audience.hears(self)

    def done(self, marker: bytes) -> bool:
        """Whether this viewer had `marker` already; from now on it has."""
        before, self._last = self._last, marker
        return before == marker


def _stream_request(place: Place, after: int) -> bytes:
    host = urlsplit(place.url).netloc
    return f"GET {place.board}/events?after={after} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode()


async def _editor(place: Place) -> Speak:
    """Change the title of a card; the moment at which that was committed."""
    task = (await tasks_of(place.project.id, "backlog"))[0]

    async def edit(marker: str) -> float:
        await edit_task(task.id, TaskEdit(title=marker, labels=["perf"]), SOMEBODY)
        return time.perf_counter()

    return edit


async def _broadcaster(url: str, sample: bytes) -> Speak:
    parts = urlsplit(url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"speak\n")

    async def say(marker: str) -> float:
        said = marker.encode().ljust(len(sample), b" ")
        writer.write(b"%d\n" % len(said) + said)
        return time.perf_counter()

    return say


if __name__ == "__main__":
    measure("viewers", main)
