"""The audit log of a project, and one entry in full."""

from typing import Annotated, Any

from litestar import Controller, Request, Response, get
from litestar.params import Parameter

from app.audit.queries import Status, audit_entry, audit_page
from app.projects.frame import project_frame
from app.projects.rows import get_project
from app.web.paging import place_in
from app.web.replies import page


class AuditController(Controller):
    """`/projects/{id}/audit` and `/audit/{id}`."""

    @get("/projects/{project_id:str}/audit")
    async def index(
        self,
        request: Request[Any, Any, Any],
        project_id: str,
        tool: Annotated[str, Parameter(max_length=1000)] = "",
        status: Status = "",
    ) -> Response[str]:
        """Tool calls, newest first; `?tool=` and `?status=` filter."""
        project = await get_project(project_id)
        listed = await audit_page(project, tool, status, place_in(request))
        return page(request, "audit/index.html", await project_frame(request, project, "Audit log"), listed=listed)

    @get("/audit/{entry_id:str}")
    async def show(self, request: Request[Any, Any, Any], entry_id: str) -> Response[str]:
        """One call with its whole input and output."""
        project_id, entry = await audit_entry(entry_id)
        frame = await project_frame(request, await get_project(project_id), "Audit log")
        return page(request, "audit/entry.html", frame, entry=entry)
