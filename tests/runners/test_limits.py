"""The clock of a run. How a run meets its limits is shown with real programs in `test_command.py`."""

import asyncio
import time

import pytest

from app.runners.limits import RunClock


@pytest.mark.parametrize(("timeout_s", "idle_timeout_s", "reason"), [(0.1, 9, "timeout"), (9, 0.1, "stalled")])
async def test_the_nearer_limit_gives_the_reason(timeout_s, idle_timeout_s, reason):
    assert await RunClock(timeout_s, idle_timeout_s).expired() == reason


async def test_what_is_heard_puts_off_only_the_idle_limit():
    clock = RunClock(timeout_s=0.5, idle_timeout_s=0.3)
    asyncio.get_running_loop().call_later(0.25, clock.heard)
    assert await clock.expired() == "timeout"


async def test_waiting_for_a_person_counts_for_neither():
    clock = RunClock(timeout_s=0.2, idle_timeout_s=0.2)

    async def person() -> str:
        await asyncio.sleep(0.5)
        return "go on"

    began = time.monotonic()
    expired = asyncio.create_task(clock.expired())
    assert await clock.standing(person)() == "go on"
    assert not expired.done()
    await expired
    assert time.monotonic() - began >= 0.69


async def test_standing_still_counts_for_neither():
    clock = RunClock(timeout_s=0.2, idle_timeout_s=0.2)
    expired = asyncio.create_task(clock.expired())
    clock.hold()
    clock.hold()
    await asyncio.sleep(0.4)
    assert not expired.done()
    clock.release()
    clock.release()
    began = time.monotonic()
    await expired
    assert 0.1 < time.monotonic() - began < 0.3


def test_a_run_that_asks_nobody_has_nothing_to_stand_still_for():
    assert RunClock(1, 1).standing(None) is None


class Watch:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def test_half_an_hour_of_waiting_for_answers_counts_for_neither():
    watch = Watch()
    clock = RunClock(timeout_s=60, idle_timeout_s=10, time=watch)
    answers = {"first": asyncio.Event(), "second": asyncio.Event()}

    async def person(name: str) -> str:
        await answers[name].wait()
        return name

    asking = [asyncio.create_task(clock.standing(person)(name)) for name in answers]
    await asyncio.sleep(0)
    watch.seconds += 1800
    answers["first"].set()
    assert await asking[0] == "first"
    watch.seconds += 1800
    answers["second"].set()
    assert await asking[1] == "second"
    watch.seconds += 9
    assert await expired_at_once(clock) is None
    watch.seconds += 2
    assert await expired_at_once(clock) == "stalled"


async def expired_at_once(clock: RunClock) -> str | None:
    looking = asyncio.create_task(clock.expired())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    try:
        return looking.result() if looking.done() else None
    finally:
        looking.cancel()
