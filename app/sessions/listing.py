"""The sessions of a project."""

from typing import Any

from litestar import Controller, Request, Response, get

from app.postgres.paging import Place
from app.postgres.paging import page as page_of
from app.projects.frame import project_frame
from app.projects.rows import ProjectRow, get_project
from app.sessions.views import SessionList, SessionRow
from app.web.paging import address, place_in
from app.web.replies import page


class SessionListController(Controller):
    """`/projects/{id}/sessions`."""

    path = "/projects/{project_id:str}/sessions"

    @get()
    async def show(self, request: Request[Any, Any, Any], project_id: str) -> Response[str]:
        """The sessions, the last changed first."""
        project = await get_project(project_id)
        listed = await sessions_page(project, place_in(request))
        return page(request, "sessions/index.html", await project_frame(request, project, "Sessions"), listed=listed)


_SELECT = """
SELECT s.id, coalesce(t.title, s.title, left(s.id, 6)) AS title, coalesce(a.name, '') AS agent_name,
  coalesce(s.task_id, '') AS task_id, s.is_active, s.message_count, s.tool_call_count, s.created_at, s.updated_at
FROM sessions s LEFT JOIN tasks t ON t.id = s.task_id LEFT JOIN agents a ON a.id = s.agent_id
WHERE s.project_id = $1
"""


async def sessions_page(project: ProjectRow, place: Place | None = None) -> SessionList:
    """A page of the project's sessions, the last changed first."""
    found = await page_of(SessionRow, _SELECT, project.id, by=("s.updated_at", "s.id"), place=place)
    return SessionList(
        project_id=project.id,
        sessions=tuple(found.rows),
        newer=address(found.newer),
        older=address(found.older),
    )
