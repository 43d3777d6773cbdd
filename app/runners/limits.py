"""Wall-clock and idle limits around any runner. Neither waiting for a person's message counts nor standing still."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import ParamSpec, TypeVar

import msgspec

from app.runners.base import AgentEvent, Availability, Capabilities, ErrorType, LiveRun, Runner, RunSpec

Asked = ParamSpec("Asked")
Said = TypeVar("Said")
#: Who holds the clock of a run that stands still.
PAUSE = "pause"


class LimitedRunner:
    """A runner whose runs end with `timeout` or `stalled` when they exceed `timeout_s` or `idle_timeout_s`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.kind: str = runner.kind
        self.capabilities: Capabilities = runner.capabilities

    def availability(self, env: Mapping[str, str], command: tuple[str, ...] = ()) -> Availability:
        return self._runner.availability(env, command)

    async def start(self, spec: RunSpec) -> LiveRun:
        clock = RunClock(spec.timeout_s, spec.idle_timeout_s)
        asks = {"next_message": clock.standing(spec.next_message), "ask": clock.standing(spec.ask)}
        return LimitedRun(await self._runner.start(msgspec.structs.replace(spec, **asks)), clock)


class RunClock:
    """Tells when a run has taken too long or been silent too long; stands still while a person is asked.

    `time` tells the seconds.
    """

    def __init__(self, timeout_s: float, idle_timeout_s: float, time: Callable[[], float] = time.monotonic) -> None:
        self._time = time
        self._end = time() + timeout_s
        self._idle_timeout_s = idle_timeout_s
        self._last = time()
        self._held_since = self._last
        #: For what it stands still: each question, and a pause.
        self._holders: set[object] = set()
        self._going = asyncio.Event()
        self._going.set()

    def heard(self) -> None:
        """Something happened."""
        self._last = self._time()

    def standing(self, ask: Callable[Asked, Awaitable[Said]] | None) -> Callable[Asked, Awaitable[Said]] | None:
        """`ask`, with the clock standing still until it answers."""
        if ask is None:
            return None

        async def asking(*args: Asked.args, **kwargs: Asked.kwargs) -> Said:
            question = object()
            self.hold(question)
            try:
                return await ask(*args, **kwargs)
            finally:
                self.release(question)

        return asking

    def hold(self, holder: object = PAUSE) -> None:
        """Stand still from now on, until whoever holds it lets it go."""
        if not self._holders:
            self._held_since = self._time()
            self._going.clear()
        self._holders.add(holder)

    def release(self, holder: object = PAUSE) -> None:
        """Go on once nobody holds it; the time that passed meanwhile does not count."""
        if holder not in self._holders:
            return
        self._holders.discard(holder)
        if not self._holders:
            self._end += self._time() - self._held_since
            self.heard()
            self._going.set()

    async def expired(self) -> ErrorType:
        """Return when a limit is reached, saying which."""
        while True:
            await self._going.wait()
            due = min(self._end, self._last + self._idle_timeout_s)
            left = due - self._time()
            if left <= 0 and self._going.is_set():
                return "timeout" if due == self._end else "stalled"
            await asyncio.sleep(left)


class LimitedRun:
    """A live run with a watchman, who looks while the events are read."""

    def __init__(self, run: LiveRun, clock: RunClock) -> None:
        self._run = run
        self._clock = clock

    async def events(self) -> AsyncIterator[AgentEvent]:
        watchman = asyncio.create_task(self._watch())
        try:
            async for event in self._run.events():
                self._clock.heard()
                yield event
                self._clock.heard()
        finally:
            watchman.cancel()

    async def stop(self, reason: ErrorType = "stopped") -> None:
        await self._run.stop(reason)

    async def pause(self) -> bool:
        stands_still = await self._run.pause()
        if stands_still:
            self._clock.hold()
        return stands_still

    async def resume(self) -> None:
        await self._run.resume()
        self._clock.release()

    async def hurry(self) -> None:
        await self._run.hurry()

    async def _watch(self) -> None:
        await self._run.stop(await self._clock.expired())
