"""The page of a question, and its answer."""

from typing import Any

from litestar import Controller, Request, Response, get, post

from app.accounts.people import Person
from app.permissions.answering import answer
from app.permissions.forms import PermissionAnswer
from app.permissions.parts import request_changed
from app.permissions.queries import permission_page
from app.projects.frame import project_frame
from app.projects.rows import get_project
from app.web.forms import read_form
from app.web.referrer import came_from
from app.web.replies import after_change, page


class PermissionController(Controller):
    """`/permissions/{id}`: one call that an agent asks for."""

    path = "/permissions/{request_id:str}"

    @get()
    async def show(self, request: Request[Any, Any, Any], request_id: str) -> Response[str]:
        """The exact call, and the buttons that answer; afterwards, who answered what."""
        asked, shown = await permission_page(request_id)
        frame = await project_frame(request, await get_project(asked.project_id), "Sessions")
        return page(request, "permissions/page.html", frame, asked=shown)

    @post("/answer")
    async def answer(self, request: Request[Any, Any, Any], request_id: str, person: Person) -> Response[Any]:
        """Allow the call once or for its whole task, or deny it with a note. The first answer counts: 409 after it."""
        form = await read_form(request, PermissionAnswer)
        await answer(request_id, form, person.actor)
        _, shown = await permission_page(request_id)
        return after_change(
            request, came_from(request) or f"/permissions/{request_id}", [request_changed(shown.request)]
        )
