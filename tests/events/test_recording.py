"""Events are recorded under the lock of their project, so that their numbers become visible in order."""

import asyncio
import random

import pytest

from app.events import reading
from app.events.recording import SYSTEM, Actor, record
from app.postgres.reading import execute, scalar
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from app.runs.claiming import claim_next
from app.tasks.creating import create_task
from app.tasks.forms import NewTask
from tests.events.readers import write
from tests.git.repositories import make_repository

MARA = Actor("person", "Mara")


async def test_an_event_is_kept_with_who_did_what_to_which(project: ProjectRow) -> None:
    async with locked(project.id):
        number = await record(project.id, "task.moved", actor=MARA, subject="t1", payload={"to": "backlog"})
    event = (await reading.of_project(project.id, number - 1))[0]
    assert (event.number, event.kind, event.subject, event.payload) == (number, "task.moved", "t1", {"to": "backlog"})
    assert (event.actor, event.actor_kind, event.session_id) == ("Mara", "person", None)
    assert await reading.last_number(project.id) == number


async def test_it_is_refused_without_the_projects_lock(project: ProjectRow, tmp_path) -> None:
    before = await reading.last_number(project.id)
    with pytest.raises(RuntimeError, match="without holding the lock"):
        await record(project.id, "task.moved", actor=MARA)
    other = await create_project(NewProject(path=str(make_repository(tmp_path / "other"))), MARA)
    async with locked(other.id):
        with pytest.raises(RuntimeError, match="without holding the lock"):
            await record(project.id, "task.moved", actor=MARA)
    assert await reading.last_number(project.id) == before


async def test_what_is_rolled_back_was_never_there(project: ProjectRow) -> None:
    before = await reading.last_number(project.id)

    async def fail() -> None:
        async with locked(project.id):
            await record(project.id, "task.moved", actor=MARA)
            raise ValueError("something else went wrong")

    with pytest.raises(ValueError, match="something else"):
        await fail()
    assert await reading.last_number(project.id) == before


async def test_a_reader_sees_every_number_once_and_in_order_while_many_write(project: ProjectRow) -> None:
    """Without the lock a transaction with a smaller number could commit after the reader had gone past it."""
    start, dice = await reading.last_number(project.id), random.Random(7)

    async def writer(times: int) -> list[int]:
        written = []
        for _ in range(times):
            async with locked(project.id):
                for _ in range(dice.randrange(1, 4)):
                    written.append(await record(project.id, "task.edited", actor=SYSTEM))
                    await asyncio.sleep(dice.random() / 200)
        return written

    writing = [asyncio.create_task(writer(12)) for _ in range(8)]
    seen, last = [], start
    while True:
        are_done = all(task.done() for task in writing)
        events = await reading.of_project(project.id, last, limit=3)
        seen += [event.number for event in events]
        last = seen[-1] if seen else start
        if are_done and not events:
            break
    assert seen == sorted(number for task in writing for number in task.result())


@pytest.fixture
async def session(project: ProjectRow) -> str:
    """The id of a session in which nothing was said yet."""
    await create_task(project.id, NewTask(title="Count", start=True), MARA)
    session_id = (await claim_next(project.id)).session_id
    await execute("DELETE FROM events WHERE session_id = $1", session_id)
    return session_id


async def test_an_event_of_a_session_is_none_of_the_board(project: ProjectRow, session: str) -> None:
    async with locked(project.id):
        number = await record(project.id, "message", actor=MARA, session_id=session, payload={"text": "x"})
    assert await reading.of_project(project.id, number - 1) == []
    assert [event.number for event in await reading.of_session(session, 0)] == [number]


async def test_the_log_goes_with_its_project(project: ProjectRow) -> None:
    await write(project.id, 3)
    await scalar("DELETE FROM projects WHERE id = $1 RETURNING 1", project.id)
    assert await reading.last_number(project.id) == 0
