"""The agents of a project, and the page of one. What starts and stops their runs is in `app.board.agents`."""

from collections.abc import Callable
from typing import Any

from litestar import Controller, Request, Response, get, post

from app.accounts.people import Person
from app.agents.configured import agent_configuration, agent_place
from app.agents.creating import create_agent, delete_agent, edit_agent
from app.agents.forms import AgentForm
from app.agents.programs import program_of
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


class ProjectAgentsController(Controller):
    """`/projects/{id}/agents`: who works there."""

    path = "/projects/{project_id:str}/agents"

    @get()
    async def show(self, request: Request[Any, Any, Any], project_id: str) -> Response[str]:
        """The list, and the form of a new agent."""
        return await _list_page(request, await get_project(project_id))

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
    async def show(self, request: Request[Any, Any, Any], agent_id: str) -> Response[str]:
        """The page."""
        return await _agent_page(request, await get_agent(agent_id), page)

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
    request: Request[Any, Any, Any], project: ProjectRow, form: Entered | None = None
) -> Response[str]:
    frame = await project_frame(request, project, "Agents")
    listed = await agents_page(project, form)
    answer_with = form_again if form else page
    return answer_with(request, "agents/index.html", frame, 422 if form else 200, listed=listed)


async def agent_again(request: Request[Any, Any, Any], agent: AgentRow, **forms: Entered) -> Response[str]:
    """The page with a form that came back: `form` for the configuration, `chat_form` for a first message."""
    return await _agent_page(request, agent, form_again, 422, **forms)


async def _agent_page(
    request: Request[Any, Any, Any],
    agent: AgentRow,
    answer_with: Callable[..., Response[str]],
    status_code: int = 200,
    **forms: Entered,
) -> Response[str]:
    project = await get_project(agent.project_id)
    frame = await project_frame(request, project, "Agents")
    settings: Settings = request.app.state.settings
    program = program_of(agent.config, settings.agent_environment)
    holds = await agent_configuration(settings, project, agent)
    stands = standing(settings.sandbox, confined(project, holds).config, agent.config.sandbox)
    view = await agent_page(agent.id, program, stands.warning, shown(holds, agent_place(agent)), **forms)
    return answer_with(request, "agents/agent.html", frame, status_code, agent=view, defaults=defaults_of(project))
