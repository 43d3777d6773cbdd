"""The runs of a project, the address of one (runs are read in their sessions), and what one asks at a limit."""

from typing import Any

from litestar import Controller, Request, Response, get, post

from app.accounts.people import Person
from app.budgets.forms import BudgetAnswer
from app.budgets.questions import question_page
from app.budgets.rows import get_alert
from app.errors import Invalid
from app.projects.frame import project_frame
from app.projects.rows import get_project
from app.runs.answering import answer
from app.runs.configured import run_configuration
from app.runs.interrupted import keep
from app.runs.queries import Status, address_of, runs_page
from app.runs.rows import get_run
from app.web.forms import Entered, entered, form_items, parse_form
from app.web.paging import place_in
from app.web.referrer import came_from
from app.web.replies import after_change, form_again, page, see_other


class RunController(Controller):
    """`/projects/{id}/runs` and `/runs/{id}`."""

    @get("/projects/{project_id:str}/runs")
    async def index(self, request: Request[Any, Any, Any], project_id: str, status: Status = "") -> Response[str]:
        """The runs, newest first; `?status=` filters."""
        project = await get_project(project_id)
        listed = await runs_page(project, status, place_in(request))
        return page(request, "runs/index.html", await project_frame(request, project, "Runs"), listed=listed)

    @get("/runs/{run_id:str}")
    async def show(self, run_id: str) -> Response[Any]:
        """To the run's first event in its session."""
        return see_other(await address_of(await get_run(run_id)))

    @get("/runs/{run_id:str}/configuration")
    async def configuration(self, request: Request[Any, Any, Any], run_id: str) -> Response[str]:
        """With which configuration its program started, who said each of it, and what it was told."""
        run = await get_run(run_id)
        frame = await project_frame(request, await get_project(run.project_id), "Runs")
        return page(request, "configuration/of_one.html", frame, configuration=await run_configuration(run))

    @post("/runs/{run_id:str}/keep")
    async def keep(self, request: Request[Any, Any, Any], run_id: str, person: Person) -> Response[Any]:
        """Leave an interrupted run as it is: it goes off the recovery page."""
        run = await keep(run_id, person.actor)
        return after_change(request, came_from(request) or f"/runs/{run.id}")


class BudgetQuestionController(Controller):
    """`/budgets/{id}`: what a run asks at a limit."""

    path = "/budgets/{alert_id:str}"

    @get()
    async def show(self, request: Request[Any, Any, Any], alert_id: str) -> Response[str]:
        """The question with its answers; afterwards, who answered what."""
        return await _question(request, alert_id)

    @post("/answer")
    async def answer(self, request: Request[Any, Any, Any], alert_id: str, person: Person) -> Response[Any]:
        """Let it go on with a higher limit, or this once, or end it. The first answer counts: 409 after it."""
        items = await form_items(request)
        try:
            await answer(alert_id, parse_form(BudgetAnswer, items), person.actor)
        except Invalid as wrong:
            return await _question(request, alert_id, entered(items, wrong))
        return after_change(request, f"/budgets/{alert_id}")


async def _question(request: Request[Any, Any, Any], alert_id: str, form: Entered | None = None) -> Response[str]:
    alert = await get_alert(alert_id)
    frame = await project_frame(request, await get_project(alert.project_id), "Sessions")
    answer_with = form_again if form else page
    view = await question_page(alert, form)
    return answer_with(request, "budgets/question.html", frame, 422 if form else 200, asked=view)
