"""The board and its forms: cards are added, moved and cancelled, with plain forms and with htmx."""

import re
import shutil

import pytest

from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.projects.rows import ProjectRow
from app.tasks.creating import create_task
from app.tasks.forms import NewTask
from app.tasks.rows import TaskRow, get_task, tasks_of
from tests.git.repositories import make_repository
from tests.visitor import Visitor
from tests.work import MARA, add_agent, begin, end


async def add(project: ProjectRow, *titles: str) -> list[TaskRow]:
    """Cards in Backlog, the last one on top."""
    return [await create_task(project.id, NewTask(title=title), MARA) for title in titles]


async def test_an_empty_board_says_what_to_do(visitor: Visitor, project: ProjectRow) -> None:
    page = await visitor.page(f"/projects/{project.id}")
    assert "Write the first card" in page
    assert 'aria-label="0 things need a person"' in page


async def test_a_card_is_added_on_top_of_backlog(visitor: Visitor, project: ProjectRow) -> None:
    board = f"/projects/{project.id}"
    agent = await add_agent(project.id)
    await add(project, "Older")
    answer = await visitor.send(
        board, f"{board}/tasks", title=" Fix it ", description="**Now**", labels="bug, ui,bug", agent_id=agent.id
    )
    assert (answer.status_code, answer.headers["location"]) == (303, board)
    first, second = await tasks_of(project.id, "backlog")
    assert (first.title, first.description, first.labels, first.position) == ("Fix it", "**Now**", ("bug", "ui"), 0)
    assert (first.metadata.wanted_agent_id, second.title) == (agent.id, "Older")
    assert cards_on(await visitor.page(board)) == [
        (first.id, "backlog", "0", "idle"),
        (second.id, "backlog", "1", "idle"),
    ]


async def test_a_card_can_be_put_to_work_at_once(visitor: Visitor, project: ProjectRow) -> None:
    board = f"/projects/{project.id}"
    answer = await visitor.send_htmx(board, f"{board}/tasks", title="Now", start="true")
    (task,) = await tasks_of(project.id, "in_progress")
    assert answer.status_code == 200
    assert cards_on(answer.text) == [(task.id, "in_progress", "0", "queued")]
    assert 'hx-target="#cards-in_progress" hx-swap="place"' in answer.text
    assert "<html" not in answer.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "   "),
        ("title", "t" * 201),
        ("description", "d" * 5001),
        ("labels", ",".join(f"label{n}" for n in range(11))),
        ("labels", "l" * 51),
        ("agent_id", "abcdefghijklmnopqrstuvwx"),
    ],
)
async def test_a_wrong_field_comes_back_with_its_sentence(
    visitor: Visitor, project: ProjectRow, field: str, value: str
) -> None:
    await add_agent(project.id)
    board = f"/projects/{project.id}"
    typed = {"title": "Kept", "description": "Kept words", field: value}
    answer = await visitor.send(board, f"{board}/tasks", **typed)
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text
    assert ("Kept words" if field != "description" else 'value="Kept"') in answer.text
    assert '<details class="add-card" id="add-card" open>' in answer.text
    partial = await visitor.send_htmx(board, f"{board}/tasks", **typed)
    assert (partial.status_code, 'data-error-code="VALIDATION_ERROR"' in partial.text) == (422, True)
    assert f"<code>{field}</code>" in partial.text
    assert await tasks_of(project.id) == []


async def test_limits_are_reached_and_not_crossed(visitor: Visitor, project: ProjectRow) -> None:
    board = f"/projects/{project.id}"
    labels = ",".join(f"label{n}" for n in range(10))
    answer = await visitor.send(board, f"{board}/tasks", title="t" * 200, description="d" * 5000, labels=labels)
    assert answer.status_code == 303
    (task,) = await tasks_of(project.id)
    assert (len(task.title), len(task.description or ""), len(task.labels)) == (200, 5000, 10)


async def test_html_in_cards_is_text(visitor: Visitor, project: ProjectRow) -> None:
    board = f"/projects/{project.id}"
    hostile = "<script>alert(1)</script>"
    await visitor.send(board, f"{board}/tasks", title=hostile, labels=hostile, description=hostile)
    (task,) = await tasks_of(project.id)
    for path in (board, f"{board}?q=%3Cscript%3E&label=%3Cscript%3E", f"/tasks/{task.id}"):
        assert "<script>alert" not in await visitor.page(path)


async def test_the_board_is_filtered_by_text_and_label(visitor: Visitor, project: ProjectRow) -> None:
    board = f"/projects/{project.id}"
    await create_task(project.id, NewTask(title="Find me", labels=["bug"]), MARA)
    await create_task(project.id, NewTask(title="Other", labels=["ui"]), MARA)
    assert [title in await visitor.page(f"{board}?q=fInD") for title in ("Find me", "Other")] == [True, False]
    assert [title in await visitor.page(f"{board}?label=ui") for title in ("Find me", "Other")] == [False, True]
    assert "No card here matches." in await visitor.page(f"{board}?q=nothing")
    assert (await visitor.get(f"{board}?q={'x' * 201}")).status_code == 400


async def test_a_card_is_moved_within_its_column(visitor: Visitor, project: ProjectRow) -> None:
    a, b, c = await add(project, "a", "b", "c")
    board = f"/projects/{project.id}"
    answer = await visitor.send(board, f"/tasks/{c.id}/move", column="backlog", position="2")
    assert (answer.status_code, answer.headers["location"]) == (303, board)
    assert [task.id for task in await tasks_of(project.id, "backlog")] == [b.id, a.id, c.id]
    partial = await visitor.send_htmx(board, f"/tasks/{c.id}/move", column="backlog", position="0")
    assert partial.status_code == 200
    assert (c.id, "backlog", "0", "idle") in cards_on(partial.text)


async def test_moving_to_in_progress_queues_and_cancel_brings_back(visitor: Visitor, project: ProjectRow) -> None:
    (task,) = await add(project, "a")
    board = f"/projects/{project.id}"
    await visitor.send(board, f"/tasks/{task.id}/move", column="in_progress")
    assert cards_on(await visitor.page(board)) == [(task.id, "in_progress", "0", "queued")]
    await visitor.send(board, f"/tasks/{task.id}/cancel")
    assert cards_on(await visitor.page(board)) == [(task.id, "backlog", "0", "idle")]


@pytest.mark.parametrize("column", ["waiting_approval", "verified"])
async def test_a_move_that_needs_a_decision_or_a_run_is_refused(
    visitor: Visitor, project: ProjectRow, column: str
) -> None:
    (task,) = await add(project, "a")
    answer = await visitor.post(f"/tasks/{task.id}/move", f"/projects/{project.id}", column=column)
    assert (answer.status_code, 'data-error-code="TASK_INVALID_TRANSITION"' in answer.text) == (409, True)
    assert (await get_task(task.id)).column == "backlog"


async def test_dragging_to_verified_is_no_approval(visitor: Visitor, project: ProjectRow) -> None:
    claim = await begin(project.id)
    await end(claim)
    answer = await visitor.post(f"/tasks/{claim.task_id}/move", f"/projects/{project.id}", column="verified")
    assert (answer.status_code, "review" in answer.text.lower()) == (409, True)
    assert (await get_task(claim.task_id)).column == "waiting_approval"


@pytest.mark.parametrize(
    ("field", "value"), [("column", "done"), ("column", ""), ("position", "-1"), ("position", "x")]
)
async def test_a_move_that_cannot_be_read_is_refused(
    visitor: Visitor, project: ProjectRow, field: str, value: str
) -> None:
    (task,) = await add(project, "a")
    answer = await visitor.post(f"/tasks/{task.id}/move", **{"column": "in_progress", field: value})
    assert (answer.status_code, f"<code>{field}</code>" in answer.text) == (422, True)
    assert (await get_task(task.id)).column == "backlog"


async def test_nothing_starts_in_a_repository_that_is_gone(visitor: Visitor, project: ProjectRow) -> None:
    (task,) = await add(project, "a")
    shutil.rmtree(project.root)
    answer = await visitor.send(f"/projects/{project.id}", f"/tasks/{task.id}/move", column="in_progress")
    assert answer.status_code == 409
    assert (await get_task(task.id)).column == "backlog"


async def test_an_agent_of_another_project_cannot_be_asked_for(
    visitor: Visitor, project: ProjectRow, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = make_repository(tmp_path_factory.mktemp("elsewhere") / "other")
    other = await create_project(NewProject(path=str(elsewhere)), MARA)
    foreign = await add_agent(other.id)
    answer = await visitor.post(f"/projects/{project.id}/tasks", title="a", agent_id=foreign.id)
    assert answer.status_code == 422
    malformed = await visitor.post(f"/projects/{project.id}/tasks", title="a", agent_id="No id")
    assert (malformed.status_code, 'data-error-code="INVALID_ID"' in malformed.text) == (400, True)
    assert await tasks_of(project.id) == []


@pytest.mark.parametrize("verb", ["move", "cancel"])
@pytest.mark.parametrize(
    ("id", "status", "code"), [("abcdefghijklmnopqrstuvwx", 404, "TASK_NOT_FOUND"), ("No-Id", 400, "INVALID_ID")]
)
async def test_ids_that_are_not_known_or_not_ids(visitor: Visitor, id: str, status: int, code: str, verb: str) -> None:
    answer = await visitor.post(f"/tasks/{id}/{verb}", column="backlog")
    assert (answer.status_code, f'data-error-code="{code}"' in answer.text) == (status, True)


def cards_on(page: str) -> list[tuple[str, str, str, str]]:
    """Id, column, position and stage of each card, in their order."""
    marks = re.findall(r"<article[^>]*data-task-id[^>]*>", page)
    names = ("task-id", "column", "position", "stage")
    return [tuple(re.search(f'data-{name}="([^"]*)"', mark)[1] for name in names) for mark in marks]  # type: ignore
