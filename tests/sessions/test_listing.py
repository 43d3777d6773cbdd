"""The list of sessions."""

import re

from app.postgres.reading import execute
from app.projects.rows import ProjectRow
from app.runners.base import Message
from tests.visitor import Visitor
from tests.work import add_agent, begin, call, end, say


async def test_sessions_are_listed_the_last_changed_first(visitor: Visitor, project: ProjectRow) -> None:
    path = f"/projects/{project.id}/sessions"
    assert "No sessions yet" in await visitor.page(path)
    await add_agent(project.id, "worker-1")
    first = await begin(project.id, "Fix <the> resolver")
    await say(first, Message(message_id="m1", text="I begin.", turn=1))
    await call(first, "Read", {"file_path": "README.md"})
    await end(first)
    second = await begin(project.id, "Go on")
    page = await visitor.page(path)
    assert sessions_on(page) == [second.session_id, first.session_id]
    assert "Fix &lt;the&gt; resolver" in page
    assert "worker-1" in page
    assert 'data-label="Messages">1<' in page
    assert 'data-label="Tool calls">1<' in page
    assert f'href="/sessions/{first.session_id}"' in page


async def test_a_long_list_comes_in_pages(visitor: Visitor, project: ProjectRow) -> None:
    await execute(
        "INSERT INTO sessions (id, project_id, title, url, is_active, active_users, message_count, tool_call_count,"
        " created_at, updated_at) SELECT 's' || lpad(n::text, 3, '0'), $1, 'Session ' || n, 's' || n, false, '[]',"
        " 0, 0, now(), now() - n * interval '1 minute' FROM generate_series(1, 60) n",
        project.id,
    )
    path = f"/projects/{project.id}/sessions"
    page = await visitor.page(path)
    assert sessions_on(page) == [f"s{n:03}" for n in range(1, 51)]
    assert "Session 1" in page
    older = re.search(r'href="([^"]*)" rel="next"', page)
    assert older is not None
    page = await visitor.page(path + older[1])
    assert sessions_on(page) == [f"s{n:03}" for n in range(51, 61)]
    assert 'rel="prev"' in page
    assert 'rel="next"' not in page


def sessions_on(page: str) -> list[str]:
    """The sessions of a page, in their order."""
    return re.findall(r'<tr data-session-id="(\w+)">', page)
