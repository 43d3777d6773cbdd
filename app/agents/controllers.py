"""The agents of a project, and the page of one. What starts and stops their runs is in `app.board.agents`."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.params import QueryParameter

from app.accounts.people import Person
from app.agents.choosing import chosen
from app.agents.configured import agent_configuration, agent_place
from app.agents.creating import create_agent, delete_agent, edit_agent
from app.agents.forms import AgentForm
from app.agents.programs import offers_in, program_of
from app.agents.queries import agent_page, agents_page, defaults_of
from app.agents.rows import AgentRow, get_agent
from app.configuration.holding import confined
from app.configuration.showing import shown
from app.errors import Invalid
from app.projects.frame import project_frame
from app.projects.rows import ProjectRow, get_project
from app.projects.walls import standing
from app.settings import Settings
from app.web.forms import Entered, entered, form_items, parse_form
from app.web.replies import after_change, form_again, page

#: Which known program fills the form.
Preset = Annotated[str, QueryParameter(max_length=100)]


class ProjectAgentsController(Controller):
    """`/projects/{id}/agents`: who works there."""

    path = "/projects/{project_id:str}/agents"

    @get()
    async def show(self, request: Request[Any, Any, Any], project_id: str, preset: Preset = "") -> Response[str]:
        """The list, and the form of a new agent; `?preset=` fills it with a known program."""
        return await _list_page(request, await get_project(project_id), preset=preset)

    @post()
    async def create(self, request: Request[Any, Any, Any], project_id: str, person: Person) -> Response[Any]:
        """Add an agent."""
        project = await get_project(project_id)
        items = await form_items(request)
        try:
            agent = await create_agent(project.id, parse_form(AgentForm, items), person.actor)
        except Invalid as wrong:
            return await _list_page(request, project, entered(items, wrong))
        return after_change(request, f"/agents/{agent.id}")


class AgentController(Controller):
    """`/agents/{id}`: its state, its record, its configuration."""

    path = "/agents/{agent_id:str}"

    @get()
    async def show(self, request: Request[Any, Any, Any], agent_id: str, preset: Preset = "") -> Response[str]:
        """The page; `?preset=` fills its form with a known program."""
        return await _agent_page(request, await get_agent(agent_id), page, 200, preset)

    @post()
    async def edit(self, request: Request[Any, Any, Any], agent_id: str, person: Person) -> Response[Any]:
        """Change name and configuration."""
        agent = await get_agent(agent_id)
        items = await form_items(request)
        try:
            await edit_agent(agent.id, parse_form(AgentForm, items), person.actor)
        except Invalid as wrong:
            return await agent_again(request, agent, form=entered(items, wrong))
        return after_change(request, f"/agents/{agent.id}")

    @post("/delete")
    async def delete(self, agent_id: str, request: Request[Any, Any, Any], person: Person) -> Response[Any]:
        """Delete an agent that never ran."""
        agent = await delete_agent(agent_id, person.actor)
        return after_change(request, f"/projects/{agent.project_id}/agents")


async def _list_page(
    request: Request[Any, Any, Any], project: ProjectRow, form: Entered | None = None, preset: str = ""
) -> Response[str]:
    frame = await project_frame(request, project, "Agents")
    settings: Settings = request.app.state.settings
    offers = await offers_in(settings.agent_environment)
    listed = await agents_page(project, offers, form or chosen(offers, preset))
    answer_with = form_again if form else page
    return answer_with(request, "agents/index.html", frame, 422 if listed.form.errors else 200, listed=listed)


async def agent_again(request: Request[Any, Any, Any], agent: AgentRow, **forms: Entered) -> Response[str]:
    """The page with a form that came back: `form` for the configuration, `chat_form` for a first message."""
    return await _agent_page(request, agent, form_again, 422, **forms)


async def _agent_page(
    request: Request[Any, Any, Any],
    agent: AgentRow,
    answer_with: Callable[..., Response[str]],
    status_code: int = 200,
    preset: str = "",
    /,
    **forms: Entered,
) -> Response[str]:
    project = await get_project(agent.project_id)
    frame = await project_frame(request, project, "Agents")
    settings: Settings = request.app.state.settings
    environment = settings.agent_environment
    offers, program = await asyncio.gather(offers_in(environment), program_of(agent.config, environment))
    holds = await agent_configuration(settings, project, agent)
    stands = standing(settings.sandbox, confined(project, holds).config, agent.config.sandbox)
    if form := chosen(offers, preset, name=agent.name, sandbox=agent.config.sandbox):
        forms, status_code = {**forms, "form": form}, 422 if form.errors else status_code
    configuration = shown(holds, agent_place(agent))
    view = await agent_page(agent.id, program, stands.warning, offers, configuration, **forms)
    return answer_with(request, "agents/agent.html", frame, status_code, agent=view, defaults=defaults_of(project))
