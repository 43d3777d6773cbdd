"""What a person does to an agent: stop, retry, clear; with a real program at work."""

import psutil
import pytest
from litestar import Litestar

from app.agents.rows import AgentRow, get_agent
from app.projects.rows import ProjectRow
from app.runs.engine import Engine
from app.runs.rows import RunRow, get_run, live_run_of_task, runs_of_task
from app.tasks.rows import get_task
from tests.git.repositories import user
from tests.visitor import Visitor
from tests.work import add_agent, begin, end, queue, until

#: Writes a file, says so, then waits to be stopped.
WAITS = "sh -c 'echo began > began.txt; echo ready; exec sleep 600'"


@pytest.fixture
async def at_work(app: Litestar, engine: Engine, project: ProjectRow) -> RunRow:
    """A run whose program has written its file and waits."""
    await add_agent(project.id, command=WAITS)
    task = await queue(project.id)

    async def running() -> RunRow | None:
        run = await live_run_of_task(task.id)
        return run if run and run.status == "running" and run.pid else None

    return await until(app, running)


async def test_stop_ends_the_program_and_keeps_its_work(visitor: Visitor, project: ProjectRow, at_work: RunRow) -> None:
    page = f"/agents/{at_work.agent_id}"
    assert psutil.pid_exists(at_work.pid or 0)
    answer = await visitor.send(page, f"{page}/stop")
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert not psutil.pid_exists(at_work.pid or 0)
    (run,) = await runs_of_task(at_work.task_id or "")
    assert (run.status, run.error_type) == ("error", "stopped")
    task = await get_task(at_work.task_id or "")
    assert "began.txt" in user(project.root, "ls-tree", "--name-only", task.branch or "")
    agent = await get_agent(at_work.agent_id)
    assert (agent.status, agent.current_task_id) == ("error", task.id)
    again = await visitor.post(f"{page}/stop")
    assert (again.status_code, 'data-error-code="AGENT_NOT_RUNNING"' in again.text) == (409, True)


async def test_stop_from_the_board_by_htmx_answers_with_the_card(
    visitor: Visitor, project: ProjectRow, at_work: RunRow
) -> None:
    answer = await visitor.send_htmx(f"/projects/{project.id}", f"/agents/{at_work.agent_id}/stop")
    assert answer.status_code == 200
    assert f'data-task-id="{at_work.task_id}"' in answer.text
    assert 'data-stage="error"' in answer.text
    assert f'action="/agents/{at_work.agent_id}/retry"' in answer.text
    assert 'hx-target="#needs"' in answer.text
    assert "<html" not in answer.text


async def test_a_live_agent_cannot_be_started_or_retried(visitor: Visitor, at_work: RunRow) -> None:
    start = await visitor.post(f"/agents/{at_work.agent_id}/start")
    assert (start.status_code, 'data-error-code="AGENT_ALREADY_RUNNING"' in start.text) == (409, True)
    retry = await visitor.post(f"/agents/{at_work.agent_id}/retry")
    assert (retry.status_code, 'data-error-code="AGENT_NOT_RUNNING"' in retry.text) == (409, True)
    assert psutil.pid_exists(at_work.pid or 0)


@pytest.fixture
async def failed(project: ProjectRow) -> AgentRow:
    """An agent that holds the task on which its program failed."""
    await add_agent(project.id)
    claim = await begin(project.id)
    await end(claim, "process_exit", "The program ended with exit code 3.")
    agent = await get_agent(claim.agent_id)
    assert (agent.status, agent.current_task_id) == ("error", claim.task_id)
    return agent


async def test_retry_queues_the_task_for_the_same_agent(
    visitor: Visitor, project: ProjectRow, failed: AgentRow
) -> None:
    board = f"/projects/{project.id}"
    answer = await visitor.send(board, f"/agents/{failed.id}/retry")
    assert (answer.status_code, answer.headers["location"]) == (303, board)
    task = await get_task(failed.current_task_id or "")
    assert (task.column, task.agent_id, task.metadata.wanted_agent_id) == ("in_progress", None, failed.id)
    assert (await get_agent(failed.id)).status == "idle"
    again = await visitor.post(f"/agents/{failed.id}/retry")
    assert (again.status_code, 'data-error-code="AGENT_NOT_RUNNING"' in again.text) == (409, True)


async def test_retry_from_the_board_by_htmx_answers_with_the_card(
    visitor: Visitor, project: ProjectRow, failed: AgentRow
) -> None:
    answer = await visitor.send_htmx(f"/projects/{project.id}", f"/agents/{failed.id}/retry")
    assert answer.status_code == 200
    assert f'data-task-id="{failed.current_task_id}"' in answer.text
    assert 'data-stage="queued"' in answer.text


async def test_retry_by_htmx_elsewhere_leads_back_there(visitor: Visitor, failed: AgentRow) -> None:
    page = f"/agents/{failed.id}"
    answer = await visitor.send_htmx(page, f"{page}/retry")
    assert (answer.status_code, answer.headers["hx-redirect"]) == (200, page)


async def test_retry_leads_back_to_the_task(visitor: Visitor, failed: AgentRow) -> None:
    page = f"/tasks/{failed.current_task_id}"
    answer = await visitor.send(page, f"/agents/{failed.id}/retry")
    assert (answer.status_code, answer.headers["location"]) == (303, page)


async def test_another_site_is_never_led_to(visitor: Visitor, failed: AgentRow) -> None:
    page = f"/agents/{failed.id}"
    for referrer in ("https://evil.example/tasks/x", "http://127.0.0.1:8000//evil.example/", "javascript:alert(1)"):
        answer = await visitor.post(f"{page}/start", page, referrer)
        assert (answer.status_code, answer.headers["location"]) == (303, page)


async def test_start_clears_an_error(visitor: Visitor, failed: AgentRow) -> None:
    page = f"/agents/{failed.id}"
    answer = await visitor.send(page, f"{page}/start")
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    agent = await get_agent(failed.id)
    assert (agent.status, agent.current_task_id, agent.last_error) == ("idle", None, None)


async def test_start_of_a_free_agent_changes_nothing(visitor: Visitor, project: ProjectRow) -> None:
    agent = await add_agent(project.id)
    answer = await visitor.post(f"/agents/{agent.id}/start", f"/agents/{agent.id}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/agents/{agent.id}")
    assert await get_agent(agent.id) == agent


@pytest.mark.parametrize("verb", ["pause", "resume"])
async def test_an_agent_without_a_run_can_neither_be_paused_nor_resumed(
    visitor: Visitor, project: ProjectRow, verb: str
) -> None:
    agent = await add_agent(project.id)
    answer = await visitor.post(f"/agents/{agent.id}/{verb}")
    assert (answer.status_code, 'data-error-code="AGENT_NOT_RUNNING"' in answer.text) == (409, True)


async def paused(app: Litestar, visitor: Visitor, run: RunRow) -> None:
    """Press Pause on the agent's page, and see that it has come."""
    page = f"/agents/{run.agent_id}"
    answer = await visitor.send(page, f"{page}/pause")
    assert (answer.status_code, answer.headers["location"]) == (303, page)

    async def rests() -> bool | None:
        return (await get_run(run.id)).status == "paused" or None

    await until(app, rests)


async def test_every_page_offers_pause_and_then_resume(
    app: Litestar, visitor: Visitor, project: ProjectRow, at_work: RunRow
) -> None:
    agent, session = f"/agents/{at_work.agent_id}", f"/sessions/{at_work.session_id}"
    pages = (f"/projects/{project.id}", f"/tasks/{at_work.task_id}", session, agent)
    for page in pages:
        html = await visitor.page(page)
        assert f'action="{agent}/pause"' in html
        assert f'action="{agent}/resume"' not in html
    await paused(app, visitor, at_work)
    for page in pages:
        html = await visitor.page(page)
        assert f'action="{agent}/resume"' in html
        assert f'action="{agent}/stop"' in html
        assert f'action="{agent}/pause"' not in html
        assert 'data-stage="paused"' in html
    assert 'name="text"' in await visitor.page(session)
    answer = await visitor.send(session, f"{agent}/resume", text="Go on with the hub.")
    assert (answer.status_code, answer.headers["location"]) == (303, session)
    assert "Go on with the hub." in await visitor.page(session)


async def test_the_board_by_htmx_gets_the_card_of_a_pause(
    app: Litestar, visitor: Visitor, project: ProjectRow, at_work: RunRow
) -> None:
    board, agent = f"/projects/{project.id}", f"/agents/{at_work.agent_id}"
    answer = await visitor.send_htmx(board, f"{agent}/pause")
    assert answer.status_code == 200
    assert f'data-task-id="{at_work.task_id}"' in answer.text
    assert f'action="{agent}/resume"' in answer.text


async def test_a_message_while_it_rests_waits_for_the_resume(app: Litestar, visitor: Visitor, at_work: RunRow) -> None:
    await paused(app, visitor, at_work)
    session = f"/sessions/{at_work.session_id}"
    assert f'formaction="{session}/messages"' in await visitor.page(session)
    answer = await visitor.post(f"{session}/messages", session, text="Wait for me.")
    assert answer.status_code == 303
    page = await visitor.page(session)
    assert "Wait for me." in page
    assert "when resumed" in page


async def test_too_long_a_message_with_a_resume_resumes_nothing(
    app: Litestar, visitor: Visitor, at_work: RunRow
) -> None:
    await paused(app, visitor, at_work)
    answer = await visitor.post(
        f"/agents/{at_work.agent_id}/resume", f"/sessions/{at_work.session_id}", text="x" * 20_001
    )
    assert answer.status_code == 422
    assert (await get_run(at_work.id)).pause_requested


@pytest.mark.parametrize("verb", ["start", "stop", "retry", "pause", "resume", "delete"])
async def test_ids_that_are_not_known_or_not_ids(visitor: Visitor, database: str, verb: str) -> None:
    unknown = await visitor.post(f"/agents/abcdefghijklmnopqrstuvwx/{verb}")
    assert (unknown.status_code, 'data-error-code="AGENT_NOT_FOUND"' in unknown.text) == (404, True)
    malformed = await visitor.post(f"/agents/Not-An-Id/{verb}")
    assert (malformed.status_code, 'data-error-code="INVALID_ID"' in malformed.text) == (400, True)
