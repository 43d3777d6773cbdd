"""Cards keep the positions 0..n-1 in each column, whoever moves what at the same moment."""

import asyncio
import contextlib
import random

import pytest

from app.board.controllers import move_card
from app.errors import Conflict
from app.events.recording import Actor
from app.postgres.reading import scalar
from app.tasks.creating import create_task
from app.tasks.forms import Move, NewTask
from app.tasks.rows import get_task, tasks_of

MARA = Actor("person", "Mara")


async def titles(project, column="backlog"):
    return [task.title for task in await tasks_of(project.id, column)]


async def positions(project):
    found = {}
    for task in await tasks_of(project.id):
        found.setdefault(task.column, []).append(task.position)
    return found


async def add(project, *names):
    return [await create_task(project.id, NewTask(title=name), MARA) for name in names]


async def test_a_new_card_is_on_top_of_backlog(project):
    await add(project, "first", "second")
    assert await titles(project) == ["second", "first"]


@pytest.mark.parametrize(
    ("place", "order"), [(0, ["a", "c", "b"]), (1, ["c", "a", "b"]), (2, ["c", "b", "a"]), (99, ["c", "b", "a"])]
)
async def test_a_card_goes_where_it_is_put(project, place, order):
    a, _, _ = await add(project, "a", "b", "c")
    await move_card(a, Move(column="backlog", position=place), MARA)
    assert await titles(project) == order
    assert await positions(project) == {"backlog": [0, 1, 2]}


@pytest.mark.parametrize("start", range(5))
async def test_every_other_card_keeps_its_order(project, start):
    await add(project, *"edcba")
    for wanted in range(6):
        before = await tasks_of(project.id, "backlog")
        card = before[start]
        await move_card(card, Move(column="backlog", position=wanted), MARA)
        expected = [task.title for task in before if task.id != card.id]
        expected.insert(wanted, card.title)
        assert await titles(project) == expected
        assert await positions(project) == {"backlog": [0, 1, 2, 3, 4]}


async def test_only_the_cards_in_between_are_written(project):
    await add(project, *"edcba")
    written = "SELECT count(*) FROM tasks WHERE project_id = $1 AND xmin = (SELECT xmin FROM tasks WHERE id = $2)"
    card = (await tasks_of(project.id, "backlog"))[1]
    await move_card(card, Move(column="backlog", position=3), MARA)
    assert await scalar(written, project.id, card.id) == 3


async def test_starting_a_card_queues_it_and_closes_the_gap(project):
    _, b, _ = await add(project, "a", "b", "c")
    moved = await move_card(b, Move(column="in_progress"), MARA)
    assert (moved.column, moved.position, moved.agent_id) == ("in_progress", 0, None)
    assert moved.metadata.pending.prompt == "b"
    assert await positions(project) == {"backlog": [0, 1], "in_progress": [0]}


@pytest.mark.parametrize("target", ["waiting_approval", "verified"])
async def test_a_move_that_the_state_does_not_allow_changes_nothing(project, target):
    (a,) = await add(project, "a")
    with pytest.raises(Conflict) as refused:
        await move_card(a, Move(column=target), MARA)
    assert refused.value.code == "TASK_INVALID_TRANSITION"
    assert (await get_task(a.id)).column == "backlog"


async def test_of_two_starts_at_the_same_moment_one_wins(project):
    (a,) = await add(project, "a")
    both = await asyncio.gather(
        *(move_card(a, Move(column="in_progress"), MARA) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in both) == ["Conflict", "TaskRow"]


async def test_positions_stay_whole_under_many_movers(project):
    cards = await add(project, *(f"card {n}" for n in range(20)))
    dice = random.Random(7)

    async def mover(seed):
        for _ in range(12):
            card = await get_task(cards[(seed + dice.randrange(20)) % 20].id)
            target = dice.choice(["backlog", "in_progress"])
            with contextlib.suppress(Conflict):
                await move_card(card, Move(column=target, position=dice.randrange(20)), MARA)

    await asyncio.gather(*(mover(seed) for seed in range(8)))
    found = await positions(project)
    assert sum(map(len, found.values())) == 20
    assert all(sorted(places) == list(range(len(places))) for places in found.values())
