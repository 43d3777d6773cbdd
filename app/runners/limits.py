"""Wall-clock and idle limits around any runner. Neither waiting for a person's message counts nor standing still."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import msgspec

from app.runners.base import AgentEvent, Availability, Capabilities, ErrorType, LiveRun, Runner, RunSpec


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
        run = await self._runner.start(msgspec.structs.replace(spec, next_message=clock.standing(spec.next_message)))
        return LimitedRun(run, clock)


class RunClock:
    """Tells when a run has taken too long or been silent too long; stands still while a person is asked."""

    def __init__(self, timeout_s: float, idle_timeout_s: float) -> None:
        self._end = time.monotonic() + timeout_s
        self._idle_timeout_s = idle_timeout_s
        self._last = time.monotonic()
        self._held_since = self._last
        self._going = asyncio.Event()
        self._going.set()

    def heard(self) -> None:
        """Something happened."""
        self._last = time.monotonic()

    def standing(self, ask: Callable[[], Awaitable[str | None]] | None) -> Callable[[], Awaitable[str | None]] | None:
        """`ask`, with the clock standing still until it answers."""
        if ask is None:
            return None

        async def asking() -> str | None:
            self.hold()
            try:
                return await ask()
            finally:
                self.release()

        return asking

    def hold(self) -> None:
        """Stand still from now on."""
        if self._going.is_set():
            self._held_since = time.monotonic()
            self._going.clear()

    def release(self) -> None:
        """Go on; the time that passed meanwhile does not count."""
        if not self._going.is_set():
            self._end += time.monotonic() - self._held_since
            self.heard()
            self._going.set()

    async def expired(self) -> ErrorType:
        """Return when a limit is reached, saying which."""
        while True:
            await self._going.wait()
            due = min(self._end, self._last + self._idle_timeout_s)
            left = due - time.monotonic()
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
