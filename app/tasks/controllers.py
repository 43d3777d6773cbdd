"""The page of one task, its edit form and its deletion. Moving and cancelling belong to the board."""

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post

from app.accounts.people import Person
from app.configuration.views import ConfigurationOfOne
from app.errors import Invalid
from app.projects.frame import project_frame
from app.projects.rows import get_project
from app.tasks.configured import task_configuration
from app.tasks.editing import delete_task, edit_task
from app.tasks.forms import TaskEdit
from app.tasks.queries import task_page
from app.tasks.rows import TaskRow, get_task
from app.web.forms import Entered, entered, form_items, parse_form
from app.web.replies import after_change, page


class TaskController(Controller):
    """`/tasks/{id}`: everything about one card."""

    path = "/tasks/{task_id:str}"

    @get()
    async def show(self, request: Request[Any, Any, Any], task_id: str) -> Response[str]:
        """The page."""
        return await _page(request, await get_task(task_id))

    @post()
    async def edit(self, request: Request[Any, Any, Any], task_id: str, person: Person) -> Response[Any]:
        """Change title, description, labels or the wanted agent."""
        items = await form_items(request)
        try:
            await edit_task(task_id, parse_form(TaskEdit, items), person.actor)
        except Invalid as wrong:
            return await _page(request, await get_task(task_id), entered(items, wrong), 422)
        return after_change(request, f"/tasks/{task_id}")

    @get("/configuration")
    async def configuration(self, request: Request[Any, Any, Any], task_id: str) -> Response[str]:
        """What holds for its next run, and who said each of it."""
        task = await get_task(task_id)
        project = await get_project(task.project_id)
        view = ConfigurationOfOne(
            title="Configuration of the next run",
            back=((f"/tasks/{task.id}", task.title),),
            shown=await task_configuration(request.app.state.settings, project, task),
        )
        frame = await project_frame(request, project, "Board")
        return page(request, "configuration/of_one.html", frame, configuration=view)

    @post("/delete")
    async def delete(self, request: Request[Any, Any, Any], task_id: str, person: Person) -> Response[Any]:
        """Delete a card nobody works on."""
        task = await delete_task(task_id, person.actor)
        return after_change(request, f"/projects/{task.project_id}")


async def _page(
    request: Request[Any, Any, Any], task: TaskRow, edit: Entered | None = None, status_code: int = 200
) -> Response[str]:
    project = await get_project(task.project_id)
    holds = await task_configuration(request.app.state.settings, project, task)
    view = msgspec.structs.replace(await task_page(task, edit), configuration=holds)
    return page(request, "tasks/page.html", await project_frame(request, project, "Board"), status_code, task=view)
