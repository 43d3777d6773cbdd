"""The list of runs, and the way from a run to its place in the session."""

import re

import pytest

from app.events import reading
from app.postgres.reading import execute
from app.projects.rows import ProjectRow
from app.runners.base import Message
from app.sessions.record import PAGE
from tests.visitor import Visitor
from tests.work import add_agent, begin, call, end, say


async def test_runs_are_listed_with_how_they_went(visitor: Visitor, project: ProjectRow) -> None:
    path = f"/projects/{project.id}/runs"
    assert "No runs yet" in await visitor.page(path)
    await add_agent(project.id, "<b>bold</b>")
    failed = await begin(project.id, "Fix <the> resolver")
    await end(failed, "turn_limit", "It took all its turns.")
    going = await begin(project.id, "Go on")
    page = await visitor.page(path)
    assert runs_on(page) == [going.run_id, failed.run_id]
    assert "Fix &lt;the&gt; resolver" in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "turn_limit" in page
    assert 'data-run-status="starting"' in page
    assert f'href="/runs/{failed.run_id}"' in page


async def test_the_list_is_filtered_by_status(visitor: Visitor, project: ProjectRow) -> None:
    await add_agent(project.id)
    failed, done = await begin(project.id, "Fails"), None
    await end(failed, "api_error", "No answer.")
    done = await begin(project.id, "Works")
    await end(done)
    going = await begin(project.id, "Goes on")
    path = f"/projects/{project.id}/runs"
    for status, expected in [("error", failed), ("completed", done), ("running", going), ("starting", going)]:
        assert runs_on(await visitor.page(f"{path}?status={status}")) == [expected.run_id]
    assert "No run here matches" in await visitor.page(f"{path}?status=paused")
    assert len(runs_on(await visitor.page(f"{path}?status="))) == 3
    unknown = await visitor.get(f"{path}?status=perhaps")
    assert (unknown.status_code, 'data-error-code="BAD_REQUEST"' in unknown.text) == (400, True)


async def test_a_long_list_comes_in_pages(visitor: Visitor, project: ProjectRow) -> None:
    await add_agent(project.id)
    claim = await begin(project.id)
    await end(claim)
    await execute(
        "INSERT INTO agent_runs (id, agent_id, project_id, status, prompt, started_at) SELECT"
        " 'x' || lpad(n::text, 3, '0'), agent_id, project_id, 'completed', 'Prompt ' || n,"
        " started_at - n * interval '1 minute' FROM agent_runs, generate_series(1, 119) n WHERE id = $1",
        claim.run_id,
    )
    path = f"/projects/{project.id}/runs"
    page = await visitor.page(f"{path}?status=completed")
    seen = runs_on(page)
    assert (len(seen), seen[0], "Newer" in page) == (50, claim.run_id, False)
    while older := link_on(page, "next"):
        assert "status=completed" in older
        page = await visitor.page(path + older)
        seen += runs_on(page)
    assert seen == [claim.run_id, *(f"x{n:03}" for n in range(1, 120))]
    newer = link_on(page, "prev")
    assert runs_on(await visitor.page(path + newer)) == seen[50:100]
    wrong = await visitor.get(f"{path}?before=yesterday")
    assert (wrong.status_code, 'data-error-code="BAD_REQUEST"' in wrong.text) == (400, True)


async def test_a_run_is_read_at_its_first_event_in_the_session(visitor: Visitor, project: ProjectRow) -> None:
    await add_agent(project.id)
    claim = await begin(project.id)
    await say(claim, Message(message_id="m1", text="I begin.", turn=1))
    await call(claim, "Read", {"file_path": "README.md"})
    await end(claim)
    first = (await reading.of_session(claim.session_id, 0))[0]
    answer = await visitor.get(f"/runs/{claim.run_id}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sessions/{claim.session_id}#e{first.number}")
    assert f'id="e{first.number}"' in await visitor.page(f"/sessions/{claim.session_id}")


async def test_a_run_far_back_opens_the_page_of_the_session_that_shows_it(
    visitor: Visitor, project: ProjectRow
) -> None:
    await add_agent(project.id)
    claim = await begin(project.id)
    await say(claim, *(Message(message_id=f"m{n}", text=f"Line {n}", turn=1) for n in range(PAGE + 30)))
    first = (await reading.of_session(claim.session_id, 0))[0]
    location = (await visitor.get(f"/runs/{claim.run_id}")).headers["location"]
    assert location == f"/sessions/{claim.session_id}?after={first.number - 1}#e{first.number}"
    assert f'id="e{first.number}"' in await visitor.page(location)
    assert f'id="e{first.number}"' not in await visitor.page(f"/sessions/{claim.session_id}")


@pytest.mark.parametrize(
    ("id", "status", "code"), [("abcdefghijklmnopqrstuvwx", 404, "RUN_NOT_FOUND"), ("No-Id", 400, "INVALID_ID")]
)
async def test_ids_that_are_not_known_or_not_ids(visitor: Visitor, id: str, status: int, code: str) -> None:
    answer = await visitor.get(f"/runs/{id}")
    assert (answer.status_code, f'data-error-code="{code}"' in answer.text) == (status, True)


def runs_on(page: str) -> list[str]:
    """The runs of a page, in their order."""
    return re.findall(r'<tr data-run-status="\w+" id="run-(\w+)">', page)


def link_on(page: str, rel: str) -> str:
    """Where the link to the next or previous page leads; empty when there is none."""
    found = re.search(rf'href="([^"]*)" rel="{rel}"', page)
    return found[1].replace("&amp;", "&") if found else ""
