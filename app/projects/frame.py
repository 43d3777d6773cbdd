"""The frame around every page: the projects to switch to, and how many things need a person in each."""

from typing import Any

from litestar import Request
from msgspec import Struct

from app.accounts.people import person_of
from app.postgres.reading import rows
from app.projects.asked import OPEN_QUESTIONS
from app.projects.rows import ProjectRow
from app.web.context import PageContext, ProjectLink, page_context


class _Waiting(Struct, frozen=True):
    id: str
    name: str
    waiting: int


async def main_frame(request: Request[Any, Any, Any], section: str = "Projects") -> PageContext:
    """The frame of a page outside any project."""
    return await _frame(request, None, section, "")


async def project_frame(
    request: Request[Any, Any, Any], project: ProjectRow, section: str, stream: str = ""
) -> PageContext:
    """The frame of a page of `project`; `stream` is the address of its event stream, with the number to resume from."""
    return await _frame(request, project, section, stream)


async def _frame(request: Request[Any, Any, Any], project: ProjectRow | None, section: str, stream: str) -> PageContext:
    links = await project_links()
    here = next((link for link in links if project is not None and link.id == project.id), None)
    return page_context(
        request,
        section=section,
        project=here,
        projects=tuple(links),
        attention=here.waiting if here else sum(link.waiting for link in links),
        person=(await person_of(request)).name,
        stream=stream,
    )


async def project_links() -> list[ProjectLink]:
    """Every project by name, with what waits for a person there: questions, reviews, runs that failed."""
    found = await rows(
        _Waiting,
        "SELECT p.id, p.name, (count(t.id) + (SELECT count(*) FROM "  # noqa: S608
        f"{OPEN_QUESTIONS} q WHERE q.project_id = p.id))::int AS waiting FROM projects p LEFT JOIN ("
        "SELECT t.id, t.project_id FROM tasks t LEFT JOIN agents a ON a.id = t.agent_id"
        " WHERE t.\"column\" = 'waiting_approval' OR (t.\"column\" = 'in_progress' AND a.status = 'error')"
        ") t ON t.project_id = p.id GROUP BY p.id, p.name ORDER BY lower(p.name), p.id",
    )
    return [ProjectLink(row.id, row.name, row.waiting) for row in found]
