"""The audit log of a project: its rows, one in full, its chain, and all of it to take away."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.params import QueryParameter
from litestar.response import Stream

from app.accounts.people import Person
from app.audit import exporting, offline_verify, spreadsheet
from app.audit.asking import ask, chain_view
from app.audit.filters import read_filter
from app.audit.queries import audit_page, empty_page
from app.audit.showing import OPENED, PART, audit_entry, chain_entry
from app.audit.views import AuditList, ChainView
from app.errors import Invalid
from app.projects.frame import project_frame
from app.projects.rows import ProjectRow, get_project
from app.web.forms import entered
from app.web.replies import Partial, after_change, page, partials, wants_partials
from app.web.templates import dom_id, render


class ProjectAuditController(Controller):
    """`/projects/{id}/audit` and below it."""

    path = "/projects/{project_id:str}/audit"

    @get()
    async def index(
        self,
        request: Request[Any, Any, Any],
        project_id: str,
        number: Annotated[int, QueryParameter(name="page", ge=0, le=10**9)] = 0,
    ) -> Response[str]:
        """Tool calls and decisions, newest first; the filter is in the address."""
        project = await get_project(project_id)
        try:
            listed = await audit_page(project, read_filter(request), number)
        except Invalid as wrong:
            typed = {name: [value] for name, value in request.query_params.items()}
            return await _list_page(request, project, await empty_page(project, entered(typed, wrong)), 422)
        return await _list_page(request, project, listed)

    @get("/entries/{entry_number:int}")
    async def entry(self, request: Request[Any, Any, Any], project_id: str, entry_number: int) -> Response[str]:
        """One entry of the chain; for htmx as it opens in the list."""
        project = await get_project(project_id)
        entry = await chain_entry(project, entry_number)
        if wants_partials(request):
            html = render("audit/_chain_entry.html", entry=entry)
            return partials(request, [Partial(f"#{dom_id('more', entry.row.id)}", html, "innerHTML")])
        frame = await project_frame(request, project, "Audit log")
        return page(request, "audit/chain_entry.html", frame, entry=entry)

    @post("/verify")
    async def verify(self, request: Request[Any, Any, Any], project_id: str, person: Person) -> Response[Any]:
        """Verify the chain; what takes long goes on, and the page says how far it is."""
        project = await get_project(project_id)
        await ask(project.id, person.actor)
        return after_change(request, f"/projects/{project.id}/audit", [_chain(await chain_view(project.id))])

    @get("/chain")
    async def chain(self, request: Request[Any, Any, Any], project_id: str) -> Response[Any]:
        """How far the verification is, for htmx; else the page that shows it."""
        project = await get_project(project_id)
        return after_change(request, f"/projects/{project.id}/audit", [_chain(await chain_view(project.id))])

    @get("/export.jsonl")
    async def export_json_lines(self, request: Request[Any, Any, Any], project_id: str) -> Stream:
        """The chain with its tool calls, which a script can verify."""
        project = await get_project(project_id)
        lines = exporting.json_lines(project, read_filter(request))
        return _download(lines, "application/jsonl", f"audit-{project.id}.jsonl")

    @get("/export.csv")
    async def export_csv(self, request: Request[Any, Any, Any], project_id: str) -> Stream:
        """The rows for a spreadsheet."""
        project = await get_project(project_id)
        lines = spreadsheet.lines(project, read_filter(request))
        return _download(lines, "text/csv", f"audit-{project.id}.csv")


class AuditController(Controller):
    """`/audit/{id}`, and the script that verifies an export."""

    path = "/audit"

    @get("/verify.py")
    async def script(self) -> Response[bytes]:
        """The script that verifies an export without AgentPane."""
        return Response(
            Path(offline_verify.__file__).read_bytes(),
            media_type="text/x-python; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="verify.py"'},
        )

    @get("/{entry_id:str}")
    async def show(
        self,
        request: Request[Any, Any, Any],
        entry_id: str,
        input_part: Annotated[int, QueryParameter(name="input", ge=1, le=10**6)] = 1,
        output_part: Annotated[int, QueryParameter(name="output", ge=1, le=10**6)] = 1,
    ) -> Response[str]:
        """One call with its whole input and output, in parts where they are long; for htmx as it opens in the list."""
        opens = wants_partials(request)
        project_id, entry = await audit_entry(entry_id, input_part, output_part, OPENED if opens else PART)
        if opens:
            html = render("audit/_entry.html", entry=entry, whole=False)
            return partials(request, [Partial(f"#{dom_id('more', entry.row.id)}", html, "innerHTML")])
        frame = await project_frame(request, await get_project(project_id), "Audit log")
        return page(request, "audit/entry.html", frame, entry=entry)


async def _list_page(
    request: Request[Any, Any, Any], project: ProjectRow, listed: AuditList, status_code: int = 200
) -> Response[str]:
    frame = await project_frame(request, project, "Audit log")
    return page(request, "audit/index.html", frame, status_code, listed=listed, chain=await chain_view(project.id))


def _chain(chain: ChainView) -> Partial:
    """As a new element, and not morphed: while the verification goes on, each one asks for the next."""
    return Partial("#chain", render("audit/_chain.html", chain=chain), "outerHTML")


def _download(chunks: AsyncIterator[bytes], media_type: str, name: str) -> Stream:
    return Stream(chunks, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'})
