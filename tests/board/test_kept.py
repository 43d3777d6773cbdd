"""The board's page is kept for as long as nothing happens in its project, and is each viewer's own all the same."""

import re

import pytest

from app.board import kept
from app.events.recording import Actor
from app.postgres.reading import execute
from app.projects.rows import ProjectRow
from app.tasks.creating import create_task
from app.tasks.editing import edit_task
from app.tasks.forms import NewTask, TaskEdit
from app.web.fragments import TOKEN_PLACE
from tests.visitor import Visitor

MARA = Actor("person", "Mara")


async def test_what_a_verb_does_is_on_the_next_page(project: ProjectRow, visitor: Visitor) -> None:
    task = await create_task(project.id, NewTask(title="Cache parsed wheels"), MARA)
    assert "Cache parsed wheels" in await visitor.page(f"/projects/{project.id}")
    await edit_task(task.id, TaskEdit(title="Cache what was parsed"), MARA)
    page = await visitor.page(f"/projects/{project.id}")
    assert "Cache what was parsed" in page
    assert "Cache parsed wheels" not in page


async def test_a_change_past_the_log_shows_once_the_kept_page_is_too_old(
    project: ProjectRow, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await create_task(project.id, NewTask(title="Before"), MARA)
    await visitor.page(f"/projects/{project.id}")
    await execute("UPDATE tasks SET title = 'After' WHERE id = $1", task.id)
    assert "Before" in await visitor.page(f"/projects/{project.id}")
    monkeypatch.setattr(kept, "LIFE_S", 0.0)
    assert "After" in await visitor.page(f"/projects/{project.id}")


async def test_each_viewer_gets_their_own_token(project: ProjectRow, visitor: Visitor) -> None:
    await create_task(project.id, NewTask(title="A card with forms"), MARA)
    pages = []
    for _ in range(2):
        pages.append(await visitor.page(f"/projects/{project.id}"))
        visitor.client.cookies.clear()
    tokens = [set(re.findall(r'(?:_csrf_token" value|x-csrftoken)"(?:=|: )"(\w+)"', page)) for page in pages]
    assert [len(each) for each in tokens] == [1, 1]
    assert tokens[0].isdisjoint(tokens[1])
    assert not any(TOKEN_PLACE in page or "<!--" in page for page in pages)


async def test_a_filtered_board_is_not_the_kept_one(project: ProjectRow, visitor: Visitor) -> None:
    for title in ("Wheels", "Spokes"):
        await create_task(project.id, NewTask(title=title), MARA)
    await visitor.page(f"/projects/{project.id}")
    page = await visitor.page(f"/projects/{project.id}?q=spoke")
    assert "Spokes" in page
    assert "Wheels" not in page


async def test_another_theme_is_another_page(project: ProjectRow, visitor: Visitor) -> None:
    assert "data-theme" not in await visitor.page(f"/projects/{project.id}")
    visitor.client.cookies.set("agentpane_theme", "dark")
    assert 'data-theme="dark"' in await visitor.page(f"/projects/{project.id}")
