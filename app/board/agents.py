"""What a person does to an agent at work, from the board, a task, a session or the agent's own page."""

from typing import Any

from litestar import Controller, Request, Response, post
from msgspec import Struct

from app.accounts.people import Person
from app.agents.rows import LIVE, AgentRow, get_agent
from app.board import live
from app.errors import Conflict
from app.runs import pausing
from app.runs.background import give_up_waiting, start_background
from app.runs.cancelling import cancel
from app.runs.retrying import clear, retry
from app.runs.rows import RunRow, live_run_of_agent
from app.runs.stopping import stop_run
from app.sessions.forms import Text
from app.web.forms import read_form
from app.web.referrer import came_from
from app.web.replies import after_change


class Retry(Struct, frozen=True, kw_only=True):
    """The form 'Retry'."""

    #: Begin a new conversation.
    fresh: bool = False


class Resume(Struct, frozen=True, kw_only=True):
    """The form 'Resume'."""

    #: What the agent is told; empty lets it go on where it stopped.
    text: Text = ""


class AgentActionsController(Controller):
    """`/agents/{id}/…`: stop, pause, resume, retry, start."""

    path = "/agents/{agent_id:str}"

    @post("/stop")
    async def stop(self, request: Request[Any, Any, Any], agent_id: str, person: Person) -> Response[Any]:
        """End the run that is going on; its work is committed before this answers."""
        agent = await get_agent(agent_id)
        if run := await live_run_of_agent(agent.id):
            await stop_run(run, person.actor)
        elif not await give_up_waiting(agent, person.actor):
            raise Conflict(f"{agent.name} is not at work.", "AGENT_NOT_RUNNING")
        return await _answer(request, agent)

    @post("/pause")
    async def pause(self, request: Request[Any, Any, Any], agent_id: str, person: Person) -> Response[Any]:
        """Let the agent rest at the end of its current turn; its conversation is kept."""
        agent = await get_agent(agent_id)
        await pausing.request_pause(await _run_of(agent), person.actor)
        return await _answer(request, agent)

    @post("/resume")
    async def resume(self, request: Request[Any, Any, Any], agent_id: str, person: Person) -> Response[Any]:
        """Let a paused agent go on, with a message if one is given; or take a pause back that has not come yet."""
        agent = await get_agent(agent_id)
        form = await read_form(request, Resume)
        await pausing.resume(await _run_of(agent), person.actor, form.text)
        return await _answer(request, agent)

    @post("/retry")
    async def retry(self, request: Request[Any, Any, Any], agent_id: str, person: Person) -> Response[Any]:
        """Queue the task on which the agent stopped for it again, `fresh` in a new conversation."""
        agent = await get_agent(agent_id)
        form = await read_form(request, Retry)
        await retry(agent.id, person.actor, fresh=form.fresh)
        return await _answer(request, agent)

    @post("/start")
    async def start(self, request: Request[Any, Any, Any], agent_id: str, person: Person) -> Response[Any]:
        """Put a background agent to work, or make one in error free again.

        The task of one in error goes back to Backlog with its work on the branch. A free one of the kind `task` needs
        no start: it takes the next task in line by itself.
        """
        agent = await get_agent(agent_id)
        if agent.status in LIVE:
            raise Conflict(f"{agent.name} is at work already.", "AGENT_ALREADY_RUNNING")
        if agent.type == "background":
            await start_background(agent.id, person.actor)
        elif agent.status == "error" and agent.current_task_id is not None:
            await cancel(agent.current_task_id, actor=person.actor)
        elif agent.status == "error":
            await clear(agent.id, person.actor)
        return await _answer(request, agent)


async def _run_of(agent: AgentRow) -> RunRow:
    """The run that is going on for an agent, or rests."""
    run = await live_run_of_agent(agent.id)
    if run is None:
        raise Conflict(f"{agent.name} is not at work.", "AGENT_NOT_RUNNING")
    return run


async def _answer(request: Request[Any, Any, Any], agent: AgentRow) -> Response[Any]:
    """Back to the page where it was asked; a board that htmx keeps gets the card as it is now."""
    page = came_from(request)
    if page.partition("?")[0] == f"/projects/{agent.project_id}":
        tasks = {agent.current_task_id} if agent.current_task_id else set()
        return after_change(request, page, await live.parts_about(agent.project_id, tasks, {agent.id}))
    return after_change(request, page or f"/agents/{agent.id}")
