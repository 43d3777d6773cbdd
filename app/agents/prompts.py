"""The prompts of one agent, in place of those of its project."""

from typing import Any

from litestar import Controller, Request, Response, get, post

from app.accounts.people import Person
from app.agents.configured import agent_configuration, agent_place
from app.agents.creating import write_agent_prompt
from app.agents.rows import AgentRow, get_agent
from app.configuration.forms import PromptForm
from app.configuration.prompt_page import Owner, prompt_page, template_named
from app.configuration.writing import checked
from app.errors import Invalid
from app.projects.frame import project_frame
from app.projects.rows import get_project
from app.web.forms import Entered, entered, form_items, parse_form
from app.web.replies import after_change, form_again, page


class AgentPromptsController(Controller):
    """`/agents/{id}/prompts/{name}`."""

    path = "/agents/{agent_id:str}/prompts/{name:str}"

    @get()
    async def show(
        self, request: Request[Any, Any, Any], agent_id: str, name: str, saved: bool = False, task_id: str = ""
    ) -> Response[str]:
        """The template, with a preview: of `?task_id=`, or of a sample."""
        return await _page(request, await get_agent(agent_id), name, PromptForm(task_id=task_id), saved=saved)

    @post()
    async def edit(self, request: Request[Any, Any, Any], agent_id: str, name: str, person: Person) -> Response[Any]:
        """Save it, look at it, or take it away: the button says which."""
        agent, template = await get_agent(agent_id), template_named(name)
        items = await form_items(request)
        form = PromptForm(template=items.get("template", [""])[-1])
        try:
            form = parse_form(PromptForm, items)
            if form.button == "preview":
                checked(template, form.template)
                return await _page(request, agent, name, form)
            text = "" if form.button == "reset" else checked(template, form.template)
            await write_agent_prompt(agent, template, text, person.actor)
        except Invalid as wrong:
            return await _page(request, agent, name, form, entered(items, wrong))
        return after_change(request, f"/agents/{agent_id}/prompts/{name}?saved=true")


async def _page(
    request: Request[Any, Any, Any],
    agent: AgentRow,
    name: str,
    form: PromptForm,
    wrong: Entered | None = None,
    *,
    saved: bool = False,
) -> Response[str]:
    project = await get_project(agent.project_id)
    owner = Owner(
        name=agent.name,
        path=f"/agents/{agent.id}",
        back=(f"/agents/{agent.id}#prompts", agent.name),
        prompts=agent.config.prompts,
        place=agent_place(agent),
    )
    holds = await agent_configuration(request.app.state.settings, project, agent)
    view = await prompt_page(project, owner, template_named(name), holds, form, entered=wrong, saved=saved)
    frame = await project_frame(request, project, "Agents")
    answer_with = form_again if wrong else page
    return answer_with(request, "configuration/prompt.html", frame, 422 if wrong else 200, prompt=view)
