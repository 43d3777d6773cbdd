"""`/`: every project, and everything that needs a person."""

from typing import Any

from litestar import Controller, Request, Response, get

from app.board.queries import overview
from app.projects.frame import main_frame
from app.projects.rows import all_projects
from app.projects.views import NewProject
from app.runs.interrupted import count_interrupted
from app.web.replies import page


class OverviewController(Controller):
    """The first page; where there is no project yet, it is the way to make one."""

    path = "/"

    @get()
    async def show(self, request: Request[Any, Any, Any]) -> Response[str]:
        """All projects, and a form to add one."""
        shown = await overview(await all_projects())
        frame = await main_frame(request)
        return page(
            request,
            "projects/index.html",
            frame,
            overview=shown,
            new_project=NewProject(),
            interrupted=await count_interrupted(),
        )
