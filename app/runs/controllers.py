"""The runs of a project, and the address of one: runs are read in their sessions."""

from typing import Any

from litestar import Controller, Request, Response, get, post

from app.accounts.people import Person
from app.projects.frame import project_frame
from app.projects.rows import get_project
from app.runs.configured import run_configuration
from app.runs.interrupted import keep
from app.runs.queries import Status, address_of, runs_page
from app.runs.rows import get_run
from app.web.paging import place_in
from app.web.referrer import came_from
from app.web.replies import after_change, page, see_other


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
