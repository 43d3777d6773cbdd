"""The budgets of projects, agents and tasks, and the price table. A question at a limit: `app.runs.controllers`."""

from collections.abc import Callable, Mapping
from typing import Any

from litestar import Controller, Request, Response, get, post

from app.accounts.people import Person
from app.agents.rows import get_agent
from app.budgets.forms import AgentBudget, PriceForm, ProjectBudgets, TaskBudget
from app.budgets.price_list import prices_page
from app.budgets.prices import add_price, delete_price, edit_price
from app.budgets.queries import agent_budget, project_budgets, task_budget
from app.budgets.setting import set_limits
from app.budgets.views import BudgetPage
from app.errors import Invalid
from app.projects.frame import main_frame, project_frame
from app.projects.rows import ProjectRow, get_project
from app.tasks.rows import get_task
from app.web.forms import Entered, entered, form_items, parse_form
from app.web.replies import after_change, form_again, page


class ProjectBudgetController(Controller):
    """`/projects/{id}/budgets`."""

    path = "/projects/{project_id:str}/budgets"

    @get()
    async def show(self, request: Request[Any, Any, Any], project_id: str, saved: bool = False) -> Response[str]:
        """The limits, and what was used today; `?saved=true` right after saving."""
        project = await get_project(project_id)
        return await _page(request, project, "Budgets", await project_budgets(project, saved=saved))

    @post()
    async def edit(self, request: Request[Any, Any, Any], project_id: str, person: Person) -> Response[Any]:
        """Save the limits."""
        project, items = await get_project(project_id), await form_items(request)
        try:
            await set_limits(project.id, parse_form(ProjectBudgets, items), person.actor)
        except Invalid as wrong:
            view = await project_budgets(project, entered(items, wrong))
            return await _page(request, project, "Budgets", view, form_again, 422)
        return after_change(request, f"/projects/{project.id}/budgets?saved=true")


class AgentBudgetController(Controller):
    """`/agents/{id}/budget`: defaults of its runs."""

    path = "/agents/{agent_id:str}/budget"

    @get()
    async def show(self, request: Request[Any, Any, Any], agent_id: str, saved: bool = False) -> Response[str]:
        """The limits; `?saved=true` right after saving."""
        agent = await get_agent(agent_id)
        project = await get_project(agent.project_id)
        return await _page(request, project, "Agents", await agent_budget(project, agent, saved=saved))

    @post()
    async def edit(self, request: Request[Any, Any, Any], agent_id: str, person: Person) -> Response[Any]:
        """Save the limits."""
        agent, items = await get_agent(agent_id), await form_items(request)
        project = await get_project(agent.project_id)
        try:
            await set_limits(project.id, parse_form(AgentBudget, items), person.actor, agent_id=agent.id)
        except Invalid as wrong:
            view = await agent_budget(project, agent, entered(items, wrong))
            return await _page(request, project, "Agents", view, form_again, 422)
        return after_change(request, f"/agents/{agent.id}/budget?saved=true")


class TaskBudgetController(Controller):
    """`/tasks/{id}/budget`: of the whole task, and of each of its runs."""

    path = "/tasks/{task_id:str}/budget"

    @get()
    async def show(self, request: Request[Any, Any, Any], task_id: str, saved: bool = False) -> Response[str]:
        """The limits, and what the task has used; `?saved=true` right after saving."""
        return await _task_page(request, task_id, saved=saved)

    @post()
    async def edit(self, request: Request[Any, Any, Any], task_id: str, person: Person) -> Response[Any]:
        """Save the limits."""
        task, items = await get_task(task_id), await form_items(request)
        try:
            await set_limits(task.project_id, parse_form(TaskBudget, items), person.actor, task_id=task.id)
        except Invalid as wrong:
            return await _task_page(request, task_id, entered(items, wrong))
        return after_change(request, f"/tasks/{task.id}/budget?saved=true")


class PriceController(Controller):
    """`/prices`: what models cost."""

    path = "/prices"

    @get()
    async def show(self, request: Request[Any, Any, Any]) -> Response[str]:
        """The table, and the form of a new price."""
        return page(request, "budgets/prices.html", await main_frame(request, "Prices"), prices=await prices_page())

    @post()
    async def add(self, request: Request[Any, Any, Any], person: Person) -> Response[Any]:
        """Add a price."""
        items = await form_items(request)
        try:
            await add_price(parse_form(PriceForm, items), person.actor)
        except Invalid as wrong:
            return await _prices_again(request, form=entered(items, wrong))
        return after_change(request, "/prices")

    @post("/{price_id:str}")
    async def edit(self, request: Request[Any, Any, Any], price_id: str, person: Person) -> Response[Any]:
        """Change a price; what was counted stays."""
        items = await form_items(request)
        try:
            await edit_price(price_id, parse_form(PriceForm, items), person.actor)
        except Invalid as wrong:
            return await _prices_again(request, forms={price_id: entered(items, wrong)})
        return after_change(request, "/prices")

    @post("/{price_id:str}/delete")
    async def delete(self, request: Request[Any, Any, Any], price_id: str) -> Response[Any]:
        """Take a price off the table."""
        await delete_price(price_id)
        return after_change(request, "/prices")


async def _task_page(
    request: Request[Any, Any, Any], task_id: str, form: Entered | None = None, *, saved: bool = False
) -> Response[str]:
    task = await get_task(task_id)
    project = await get_project(task.project_id)
    agent = await get_agent(task.agent_id) if task.agent_id else None
    view = await task_budget(project, task, agent, form, saved=saved)
    return await _page(request, project, "Board", view, form_again if form else page, 422 if form else 200)


async def _page(
    request: Request[Any, Any, Any],
    project: ProjectRow,
    section: str,
    view: BudgetPage,
    answer_with: Callable[..., Response[str]] = page,
    status_code: int = 200,
) -> Response[str]:
    frame = await project_frame(request, project, section)
    return answer_with(request, "budgets/page.html", frame, status_code, budget=view)


async def _prices_again(
    request: Request[Any, Any, Any], form: Entered | None = None, forms: Mapping[str, Entered] | None = None
) -> Response[str]:
    view = await prices_page(form, dict(forms or {}))
    return form_again(request, "budgets/prices.html", await main_frame(request, "Prices"), 422, prices=view)
