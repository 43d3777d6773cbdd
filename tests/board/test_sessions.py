"""Chats and background agents through their forms."""

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.agents.rows import AgentRow, get_agent
from app.projects.rows import ProjectRow
from app.runs.claiming import claim_next
from app.sessions.standalone import newest_of, standalone
from app.tasks.rows import get_task
from app.worktrees.creating import prepare
from app.worktrees.rows import get_worktree
from tests.visitor import Visitor
from tests.work import MARA, end


async def agent_of(project: ProjectRow, type_: str, **fields: object) -> AgentRow:
    form = AgentForm(name="polly", type=type_, runner="command", command="cat", **fields)  # type: ignore[arg-type]
    return await create_agent(project.id, form, MARA)


async def chat_with_work(project: ProjectRow, visitor: Visitor) -> str:
    """The id of a chat whose agent has answered once and changed a file."""
    polly = await agent_of(project, "conversational")
    answer = await visitor.send(f"/agents/{polly.id}", f"/agents/{polly.id}/sessions", text="Count <the> spokes")
    session_id = answer.headers["location"].removeprefix("/sessions/")
    claim = await claim_next(project.id)
    await prepare(claim.worktree_id, {"PATH": "/usr/bin:/bin"})
    ((await get_worktree(claim.worktree_id)).root / "spokes.txt").write_text("eight\n")
    await end(claim)
    return session_id


async def test_a_chat_from_its_first_message_to_its_task(project: ProjectRow, visitor: Visitor) -> None:
    session_id = await chat_with_work(project, visitor)
    page = await visitor.page(f"/sessions/{session_id}")
    assert "Count &lt;the&gt; spokes" in page
    assert "Hand in as a task" in page
    assert "1 file" in page
    answer = await visitor.send(
        f"/sessions/{session_id}", f"/sessions/{session_id}/task", title="Say it", description="How many"
    )
    task = await get_task(answer.headers["location"].split("/")[2])
    assert (task.column, task.title, task.description) == ("waiting_approval", "Say it", "How many")
    assert "spokes.txt" in await visitor.page(answer.headers["location"])
    assert "Hand in as a task" not in await visitor.page(f"/sessions/{session_id}")


async def test_a_title_that_is_missing_comes_back_with_what_was_typed(project: ProjectRow, visitor: Visitor) -> None:
    session_id = await chat_with_work(project, visitor)
    answer = await visitor.send(
        f"/sessions/{session_id}", f"/sessions/{session_id}/task", title="", description="Kept as typed"
    )
    assert answer.status_code == 422
    assert "Kept as typed" in answer.text
    assert "Fill this in." in answer.text


async def test_an_empty_first_message_is_not_sent(project: ProjectRow, visitor: Visitor) -> None:
    polly = await agent_of(project, "conversational")
    answer = await visitor.send(f"/agents/{polly.id}", f"/agents/{polly.id}/sessions", text="  ")
    assert answer.status_code == 422
    assert "Fill this in." in answer.text
    assert await newest_of(polly.id) is None


async def test_a_chat_is_closed_from_its_page(project: ProjectRow, visitor: Visitor) -> None:
    session_id = await chat_with_work(project, visitor)
    answer = await visitor.send(f"/sessions/{session_id}", f"/sessions/{session_id}/close")
    assert answer.status_code == 303
    page = await visitor.page(f"/sessions/{session_id}")
    assert "This session is closed" in page
    assert "Close this session" not in page
    again = await visitor.post(f"/sessions/{session_id}/close")
    assert (again.status_code, "SESSION_CLOSED" in again.text) == (409, True)


async def test_a_background_agent_is_started_and_stopped_while_it_waits(project: ProjectRow, visitor: Visitor) -> None:
    polly = await agent_of(project, "background", prompt="Watch")
    page = f"/agents/{polly.id}"
    assert (await visitor.send(page, f"{page}/start")).status_code == 303
    session = await newest_of(polly.id)
    assert session.pending.prompt == "Watch"
    assert "It waits for a free slot." in await visitor.page(page)
    again = await visitor.post(f"{page}/start")
    assert (again.status_code, "AGENT_ALREADY_RUNNING" in again.text) == (409, True)
    assert (await visitor.send(page, f"{page}/stop")).status_code == 303
    assert (await standalone(session.id)).pending is None
    assert (await get_agent(polly.id)).status == "idle"
    nothing = await visitor.post(f"{page}/stop")
    assert (nothing.status_code, "AGENT_NOT_RUNNING" in nothing.text) == (409, True)


async def test_an_agent_with_a_chat_is_not_deleted(project: ProjectRow, visitor: Visitor) -> None:
    polly = await agent_of(project, "conversational")
    assert "Delete the agent" in await visitor.page(f"/agents/{polly.id}")
    await visitor.send(f"/agents/{polly.id}", f"/agents/{polly.id}/sessions", text="Are you there?")
    assert "Delete the agent" not in await visitor.page(f"/agents/{polly.id}")
    answer = await visitor.post(f"/agents/{polly.id}/delete")
    assert (answer.status_code, "sessions or runs on record" in answer.text) == (409, True)
    assert await claim_next(project.id) is not None


async def test_no_chat_is_held_with_a_task_agent(project: ProjectRow, visitor: Visitor) -> None:
    bob = await agent_of(project, "task")
    assert "Begin a chat" not in await visitor.page(f"/agents/{bob.id}")
    answer = await visitor.post(f"/agents/{bob.id}/sessions", text="Hello")
    assert (answer.status_code, "AGENT_NOT_RUNNING" in answer.text) == (409, True)


async def test_a_background_claude_agent_without_a_prompt_is_not_made(project: ProjectRow, visitor: Visitor) -> None:
    agents = f"/projects/{project.id}/agents"
    answer = await visitor.send(agents, agents, name="watcher", type="background", runner="claude")
    assert answer.status_code == 422
    assert "needs to be told what to do" in answer.text
