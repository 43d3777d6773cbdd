"""The page of a task and its forms, with JavaScript off and with htmx."""

import pytest

from app.projects.rows import ProjectRow
from app.tasks.creating import create_task
from app.tasks.forms import NewTask
from app.tasks.rows import TaskRow, get_task, tasks_of
from tests.visitor import Visitor
from tests.workshop import MARA


@pytest.fixture
async def task(project: ProjectRow) -> TaskRow:
    """A card in Backlog."""
    return await create_task(project.id, NewTask(title="Count the spokes", labels=["wheel"]), MARA)


async def test_the_form_has_what_is_stored_and_stores_what_is_typed(visitor: Visitor, task: TaskRow) -> None:
    here = f"/tasks/{task.id}"
    page = await visitor.page(here)
    assert 'value="Count the spokes"' in page
    answer = await visitor.send(here, here, title="Count them", description="One\r\ntwo", labels="a, b ,a")
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    edited = await get_task(task.id)
    assert (edited.title, edited.description, edited.labels) == ("Count them", "One\ntwo", ("a", "b"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 201),
        ("description", "x" * 5001),
        ("labels", ",".join(f"l{n}" for n in range(11))),
        ("labels", "x" * 51),
    ],
)
async def test_a_wrong_field_comes_back_with_what_was_typed(
    visitor: Visitor, task: TaskRow, field: str, value: str
) -> None:
    here = f"/tasks/{task.id}"
    typed = {"title": "What I typed", field: value}
    for send in (visitor.send, visitor.send_htmx):
        answer = await send(here, here, **typed)
        assert answer.status_code == 422
        assert 'class="field__error"' in answer.text
        assert typed["title"] in answer.text
    assert (await get_task(task.id)).title == "Count the spokes"


@pytest.mark.parametrize(("field", "length"), [("title", 200), ("description", 5000)])
async def test_the_limits_themselves_are_allowed(visitor: Visitor, task: TaskRow, field: str, length: int) -> None:
    here = f"/tasks/{task.id}"
    answer = await visitor.send(here, here, **{"title": "Count", field: "ü" * length})
    assert answer.status_code == 303
    assert len(getattr(await get_task(task.id), field)) == length


async def test_delete(visitor: Visitor, task: TaskRow) -> None:
    answer = await visitor.send(f"/tasks/{task.id}", f"/tasks/{task.id}/delete")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/projects/{task.project_id}")
    assert await tasks_of(task.project_id) == []
    answer = await visitor.get(f"/tasks/{task.id}")
    assert answer.status_code == 404
    assert 'data-error-code="TASK_NOT_FOUND"' in answer.text


async def test_a_queued_task_says_its_place_and_is_not_deleted(visitor: Visitor, task: TaskRow) -> None:
    here = f"/tasks/{task.id}"
    answer = await visitor.send(here, f"{here}/move")
    assert answer.status_code == 303
    assert (await get_task(task.id)).column == "in_progress"
    page = await visitor.page(here)
    assert "Queued, number 1" in page
    assert f'action="{here}/delete"' not in page
    answer = await visitor.post(f"{here}/delete", here)
    assert answer.status_code == 409
    assert 'data-error-code="TASK_INVALID_TRANSITION"' in answer.text


async def test_what_happened_stands_in_the_feed(visitor: Visitor, task: TaskRow) -> None:
    here = f"/tasks/{task.id}"
    await visitor.send(here, here, title="Count them")
    await visitor.send(here, f"{here}/move")
    page = await visitor.page(here)
    for words in ("opened this", "edited this", "moved this to In progress"):
        assert words in page
