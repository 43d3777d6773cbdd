"""Live readers: everything once and in order, whoever is slow, comes back, or loses the connection."""

import asyncio
import random

import pytest

from app.events import fanout as fanouts
from app.events.fanout import HEARTBEAT, Fanout
from app.events.reading import PAGE, last_number
from app.postgres.reading import execute
from app.projects.rows import ProjectRow
from tests.events.readers import ProjectLog, Reader, write


async def test_what_is_committed_reaches_a_reader(fanout: Fanout, project: ProjectRow) -> None:
    start = await last_number(project.id)
    reader = await Reader(fanout, ProjectLog(project.id), start).live()
    numbers = await write(project.id, 2)
    assert await reader.until(numbers[-1]) == numbers
    await reader.close()


@pytest.mark.parametrize("seed", range(4))
async def test_a_reader_that_comes_and_goes_misses_nothing_and_sees_nothing_twice(
    fanout: Fanout, project: ProjectRow, seed: int
) -> None:
    dice, topic = random.Random(seed), ProjectLog(project.id)
    start = await last_number(project.id)
    steady = await Reader(fanout, topic, start).live()

    async def writer() -> list[int]:
        written = []
        for _ in range(20):
            written += await write(project.id, dice.randrange(1, 5))
            await asyncio.sleep(dice.random() / 100)
        return written

    writing = asyncio.gather(*(writer() for _ in range(3)))
    seen: list[int] = []
    visits = 0
    while not writing.done():
        reader = await Reader(fanout, topic, seen[-1] if seen else start).open()
        for _ in range(dice.randrange(1, 4)):
            reading = asyncio.ensure_future(reader.chunk())
            await asyncio.wait([reading, writing], return_when=asyncio.FIRST_COMPLETED)
            reading.cancel()
            await asyncio.wait([reading])
        seen += reader.numbers
        await reader.close()
        visits += 1
    assert visits > 3
    written = sorted(number for numbers in await writing for number in numbers)
    last = await Reader(fanout, topic, seen[-1] if seen else start).open()
    assert seen + (await last.until(written[-1]) if seen[-1:] != written[-1:] else []) == written
    assert await steady.until(written[-1]) == written
    await last.close()
    await steady.close()


async def test_a_long_history_is_read_in_pages(fanout: Fanout, project: ProjectRow) -> None:
    start = await last_number(project.id)
    numbers = await write(project.id, 2 * PAGE + 7)
    reader = await Reader(fanout, ProjectLog(project.id), start).open()
    assert await reader.until(numbers[-1]) == numbers
    more = await write(project.id, PAGE + 1)
    assert await reader.until(more[-1]) == numbers + more
    await reader.close()


async def test_a_slow_reader_is_cut_off_and_comes_back_by_number(
    fanout: Fanout, project: ProjectRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanouts, "QUEUE_LIMIT", 5)
    topic, start = ProjectLog(project.id), await last_number(project.id)
    slow, quick = await Reader(fanout, topic, start).live(), await Reader(fanout, topic, start).live()
    (first,) = await write(project.id)
    assert await slow.until(first) == await quick.until(first)
    numbers = [first]
    for _ in range(9):
        numbers += await write(project.id)
        await quick.until(numbers[-1])
    # Who did not read is sent away, instead of being given what comes after a gap.
    assert await slow.to_the_end() == [first]
    again = await Reader(fanout, topic, first).open()
    assert await again.until(numbers[-1]) == numbers[1:]
    await again.close()
    await quick.close()


async def test_an_event_is_rendered_once_for_all_of_its_readers(fanout: Fanout, project: ProjectRow) -> None:
    topic, start = ProjectLog(project.id), await last_number(project.id)
    readers = [await Reader(fanout, topic, start).live() for _ in range(10)]
    numbers = []
    for _ in range(5):
        numbers += await write(project.id, 2)
        for reader in readers:
            await reader.until(numbers[-1])
    assert topic.rendered == numbers
    for reader in readers:
        assert reader.numbers == numbers
        await reader.close()


async def test_what_was_committed_while_the_listener_had_no_connection_arrives_when_it_is_back(
    fanout: Fanout, project: ProjectRow
) -> None:
    topic, start = ProjectLog(project.id), await last_number(project.id)
    reader = await Reader(fanout, topic, start).live()
    before = await write(project.id)
    await reader.until(before[-1])
    assert await execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'agentpane-listener' AND datname = current_database()"
    )
    missed = await write(project.id, 3)
    assert await reader.until(missed[-1]) == before + missed
    later = await write(project.id)
    assert await reader.until(later[-1]) == before + missed + later
    await reader.close()


async def test_a_quiet_stream_beats(database: str, project: ProjectRow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanouts, "HEARTBEAT_S", 0.05)
    fanout = Fanout()
    fanout.start()
    reader = await Reader(fanout, ProjectLog(project.id), await last_number(project.id)).open()
    assert HEARTBEAT in await reader.chunk()
    assert HEARTBEAT.startswith(b":")
    assert reader.numbers == []
    await reader.close()
    await fanout.stop()


async def test_close_ends_every_stream_at_once_and_lets_none_begin(fanout: Fanout, project: ProjectRow) -> None:
    topic, start = ProjectLog(project.id), await last_number(project.id)
    waiting = [await Reader(fanout, topic, start).live() for _ in range(3)]
    fanout.close()
    await asyncio.wait_for(asyncio.gather(*(reader.to_the_end() for reader in waiting)), 1)
    late = await Reader(fanout, topic, start).open()
    assert await asyncio.wait_for(late.to_the_end(), 1) == []


async def test_a_topic_that_cannot_be_read_sends_its_readers_away_to_resume(
    fanout: Fanout, project: ProjectRow
) -> None:
    topic, start = ProjectLog(project.id), await last_number(project.id)
    reader = await Reader(fanout, topic, start).live()
    numbers = await write(project.id)
    await reader.until(numbers[-1])
    topic.is_away = True
    numbers += await write(project.id)
    assert await reader.to_the_end() == numbers[:1]
    topic.is_away = False
    again = await Reader(fanout, topic, reader.numbers[-1]).open()
    assert await again.until(numbers[-1]) == numbers[1:]
    await again.close()


async def test_a_topic_that_cannot_even_begin_can_begin_later(fanout: Fanout, project: ProjectRow) -> None:
    topic, start = ProjectLog(project.id), await last_number(project.id)
    topic.is_away = True
    first = await Reader(fanout, topic, start).open()
    topic.is_away = False
    # The first reader has not yet gone when the next one comes.
    second = await Reader(fanout, topic, start).live()
    assert await first.to_the_end() == []
    numbers = await write(project.id)
    assert await second.until(numbers[-1]) == numbers
    await second.close()


async def test_listeners_hear_of_everything_until_they_stop_listening(fanout: Fanout, project: ProjectRow) -> None:
    heard, both = [], asyncio.Event()
    start = await last_number(project.id)

    def hear(note):
        if note.number > start:  # the notification of the project itself may still be on its way
            heard.append((note.number, note.kind, note.project_id))
            if len(heard) == 2:
                both.set()

    unlisten = fanout.listen(hear)
    reader = await Reader(fanout, ProjectLog(project.id), start).open()
    numbers = await write(project.id, 2)
    await reader.until(numbers[-1])
    await asyncio.wait_for(both.wait(), 10)  # Who comes may read an event before its notification is there.
    assert heard == [(number, "task.edited", project.id) for number in numbers]
    unlisten()
    await reader.until((await write(project.id))[-1])
    assert len(heard) == 2
    await reader.close()
