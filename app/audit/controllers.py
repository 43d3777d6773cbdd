"""The audit log of a project, and one entry in full."""

from pathlib import Path
from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.params import Parameter
from litestar.response import Stream

from app.accounts.people import Person
from app.audit import exporting, offline_verify
from app.audit.asking import ask, chain_view
from app.audit.filters import read_filter
from app.audit.queries import Status, audit_entry, audit_page
from app.audit.views import ChainView
from app.projects.frame import project_frame
from app.projects.rows import get_project
from app.web.paging import place_in
from app.web.replies import Partial, after_change, page
from app.web.templates import render


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
        frame = await project_frame(request, project, "Audit log")
        return page(request, "audit/index.html", frame, listed=listed, chain=await chain_view(project.id))

    @post("/projects/{project_id:str}/audit/verify")
    async def verify(self, request: Request[Any, Any, Any], project_id: str, person: Person) -> Response[Any]:
        """Verify the chain; what takes long goes on, and the page says how far it is."""
        project = await get_project(project_id)
        await ask(project.id, person.actor)
        chain = await chain_view(project.id)
        return after_change(request, f"/projects/{project.id}/audit", [_chain_changed(chain)])

    @get("/projects/{project_id:str}/audit/chain")
    async def chain(self, request: Request[Any, Any, Any], project_id: str) -> Response[Any]:
        """How far the verification is, for htmx; else the page that shows it."""
        project = await get_project(project_id)
        return after_change(request, f"/projects/{project.id}/audit", [_chain_changed(await chain_view(project.id))])

    @get("/projects/{project_id:str}/audit/export.jsonl")
    async def export_json_lines(self, request: Request[Any, Any, Any], project_id: str) -> Stream:
        """The chain with its tool calls, which a script can verify."""
        project = await get_project(project_id)
        wanted = read_filter(request)
        name = f'attachment; filename="audit-{project.id}.jsonl"'
        return Stream(
            exporting.json_lines(project, wanted),
            media_type="application/jsonl",
            headers={"content-disposition": name},
        )

    @get("/audit/verify.py")
    async def script(self) -> Response[bytes]:
        """The script that verifies an export without AgentPane."""
        return Response(
            Path(offline_verify.__file__).read_bytes(),
            media_type="text/x-python; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="verify.py"'},
        )

    @get("/audit/{entry_id:str}")
    async def show(self, request: Request[Any, Any, Any], entry_id: str) -> Response[str]:
        """One call with its whole input and output."""
        project_id, entry = await audit_entry(entry_id)
        frame = await project_frame(request, await get_project(project_id), "Audit log")
        return page(request, "audit/entry.html", frame, entry=entry)


def _chain_changed(chain: ChainView) -> Partial:
    return Partial("#chain", render("audit/_chain.html", chain=chain))
