"""What a board's stream sends after an event: the card, and the places around it only when they may be others."""

import pytest

from app.board import live
from app.board.controllers import move_card
from app.events import reading
from app.projects.rows import ProjectRow
from app.tasks.creating import create_task
from app.tasks.editing import delete_task
from app.tasks.forms import Move, NewTask
from app.tasks.rows import Column, tasks_of
from tests.work import MARA


@pytest.fixture
async def board(project: ProjectRow) -> ProjectRow:
    """Three cards in Backlog, two in the queue; no engine takes them."""
    for title in ("e", "d", "c", "b", "a"):
        await create_task(project.id, NewTask(title=title, start=title in "de"), MARA)
    return project


async def targets(project: ProjectRow, after: int) -> list[str]:
    """Where the partials go that tell of everything after `after`."""
    events = await reading.of_project(project.id, after)
    return [part.target for part in await live.changes(project.id, events)]


async def moved(project: ProjectRow, column: Column, to: Column, position: int = 0) -> list[str]:
    """What is sent after the last card of `column` was moved."""
    after = await reading.last_number(project.id)
    await move_card((await tasks_of(project.id, column))[-1], Move(column=to, position=position), MARA)
    return await targets(project, after)


async def test_a_reorder_sends_the_card_and_nothing_else(board: ProjectRow) -> None:
    assert await moved(board, "backlog", "backlog") == ["#cards-backlog"]


async def test_a_reorder_of_the_queue_sends_every_place_in_line(board: ProjectRow) -> None:
    sent = await moved(board, "in_progress", "in_progress")
    assert sent.count("#cards-in_progress") == 2
    assert {"#head-in_progress", "#needs"} <= set(sent)


async def test_a_move_to_another_column_sends_the_counts(board: ProjectRow) -> None:
    sent = await moved(board, "backlog", "in_progress")
    assert sent.count("#cards-in_progress") == 3
    assert {"#head-backlog", "#tab-backlog", "#head-in_progress", "#needs"} <= set(sent)


async def test_a_deleted_card_is_taken_away(board: ProjectRow) -> None:
    after = await reading.last_number(board.id)
    task = await delete_task((await tasks_of(board.id, "backlog"))[0].id, MARA)
    sent = await targets(board, after)
    assert f"#task-{task.id}" in sent
    assert "#head-backlog" in sent
