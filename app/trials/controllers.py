"""The page on which an agent is tried."""

from typing import Any

from litestar import Controller, Request, Response, get, post

from app.accounts.people import Person
from app.agents.rows import AgentRow, get_agent
from app.errors import Invalid
from app.projects.frame import project_frame
from app.projects.rows import get_project
from app.trials.forms import DEFAULT_PROMPT, TrialForm
from app.trials.keeping import Trials
from app.trials.trying import TRY_S
from app.trials.views import TrialPage
from app.web.forms import Entered, entered, form_items, parse_form
from app.web.replies import Partial, after_change, form_again, page, partials, wants_partials
from app.web.templates import render


class TrialController(Controller):
    """`/agents/{id}/try` and below it."""

    path = "/agents/{agent_id:str}/try"

    @get()
    async def show(self, request: Request[Any, Any, Any], agent_id: str) -> Response[str]:
        """The newest trial; to htmx only that, while it goes on."""
        agent = await get_agent(agent_id)
        if wants_partials(request):
            html = render("trials/_outcome.html", trial=_view(request, agent))
            return partials(request, [Partial("#trial", html, "outerHTML")])
        return await _page(request, agent)

    @post()
    async def begin(self, request: Request[Any, Any, Any], agent_id: str, person: Person) -> Response[Any]:
        """Try it."""
        agent = await get_agent(agent_id)
        items = await form_items(request)
        try:
            form = parse_form(TrialForm, items)
        except Invalid as wrong:
            return await _page(request, agent, entered(items, wrong))
        project, prompt = await get_project(agent.project_id), form.prompt or DEFAULT_PROMPT
        _trials(request).begin(request.app.state.settings, project, agent, prompt, person.actor.name)
        return after_change(request, f"/agents/{agent.id}/try")

    @post("/stop")
    async def stop(self, request: Request[Any, Any, Any], agent_id: str) -> Response[Any]:
        """End it; nothing of it is left when this answers."""
        agent = await get_agent(agent_id)
        await _trials(request).stop(agent.id)
        return after_change(request, f"/agents/{agent.id}/try")


async def _page(request: Request[Any, Any, Any], agent: AgentRow, form: Entered | None = None) -> Response[str]:
    frame = await project_frame(request, await get_project(agent.project_id), "Agents")
    answer_with, status = (form_again, 422) if form else (page, 200)
    return answer_with(request, "trials/page.html", frame, status, trial=_view(request, agent, form or Entered()))


def _view(request: Request[Any, Any, Any], agent: AgentRow, form: Entered | None = None) -> TrialPage:
    outcome = _trials(request).outcome_of(agent.id)
    return TrialPage(
        agent_id=agent.id,
        agent_name=agent.name,
        project_id=agent.project_id,
        prompt=outcome.prompt if outcome else DEFAULT_PROMPT,
        seconds=round(TRY_S),
        outcome=outcome,
        form=form or Entered(),
    )


def _trials(request: Request[Any, Any, Any]) -> Trials:
    trials: Trials = request.app.state.trials
    return trials
