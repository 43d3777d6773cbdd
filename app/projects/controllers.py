"""Register a repository, change a project's settings, delete a project. All projects together: `app.board.overview`."""

from typing import Any

from litestar import Controller, Request, Response, get, post

from app.accounts.people import Person
from app.errors import Conflict, Invalid
from app.projects.creating import create_project
from app.projects.editing import delete_project, edit_project
from app.projects.forms import Deletion, NewProject, ProjectSettings, Relocation
from app.projects.frame import main_frame, project_frame
from app.projects.queries import settings_of
from app.projects.relocating import relocate
from app.projects.rows import ProjectRow, all_projects, get_project
from app.projects.views import NewProject as NewProjectView
from app.web.forms import Entered, entered, form_items, parse_form
from app.web.replies import Partial, after_change, form_again, page, partials, wants_partials
from app.web.templates import render


class NewProjectController(Controller):
    """`/projects`: add a repository."""

    path = "/projects"

    @get("/new")
    async def show(self, request: Request[Any, Any, Any]) -> Response[str]:
        """The form."""
        return await _new_page(request, Entered())

    @post()
    async def create(self, request: Request[Any, Any, Any], person: Person) -> Response[Any]:
        """Register the repository, then show its board."""
        items = await form_items(request)
        try:
            project = await create_project(parse_form(NewProject, items), person.actor)
        except (Invalid, Conflict) as refusal:
            wrong = Invalid(refusal.details["fields"])
            return await _new_page(request, entered(items, wrong), refusal.status, refusal.code)
        return after_change(request, f"/projects/{project.id}")


class ProjectSettingsController(Controller):
    """`/projects/{id}/settings`, and what moves or deletes a project."""

    path = "/projects/{project_id:str}"

    @get("/settings")
    async def show(self, request: Request[Any, Any, Any], project_id: str, saved: bool = False) -> Response[str]:
        """The settings as they are stored; `?saved=true` right after saving."""
        return await _settings_page(request, await get_project(project_id), saved=saved)

    @post("/settings")
    async def edit(self, request: Request[Any, Any, Any], project_id: str, person: Person) -> Response[Any]:
        """Save the settings."""
        project = await get_project(project_id)
        items = await form_items(request)
        try:
            data_dir = request.app.state.settings.data_dir
            await edit_project(project_id, parse_form(ProjectSettings, items), person.actor, data_dir)
        except Invalid as wrong:
            return await _settings_page(request, project, 422, form=entered(items, wrong))
        return after_change(request, f"/projects/{project_id}/settings?saved=true")

    @post("/relocate")
    async def relocate(self, request: Request[Any, Any, Any], project_id: str, person: Person) -> Response[Any]:
        """Follow the project's folder to where it was moved, then show its worktrees: git must be told of each."""
        project = await get_project(project_id)
        items = await form_items(request)
        try:
            await relocate(project, parse_form(Relocation, items).path, person.actor)
        except Invalid as wrong:
            return await _settings_page(request, project, 422, relocate_form=entered(items, wrong))
        return after_change(request, f"/projects/{project_id}/worktrees")

    @post("/delete")
    async def delete(self, request: Request[Any, Any, Any], project_id: str) -> Response[Any]:
        """Delete the project, once its name has been typed."""
        project = await get_project(project_id)
        items = await form_items(request)
        try:
            await delete_project(project_id, parse_form(Deletion, items))
        except Invalid as wrong:
            return await _settings_page(request, project, 422, delete_form=entered(items, wrong))
        return after_change(request, "/")


async def _new_page(
    request: Request[Any, Any, Any], form: Entered, status_code: int = 200, code: str = ""
) -> Response[str]:
    if status_code != 200 and wants_partials(request):
        html = render("projects/_form.html", new_project=NewProjectView(form=form, code=code))
        return partials(request, [Partial("#new-project", html)], status_code)
    view = NewProjectView(form=form, code=code, first=not await all_projects())
    return page(request, "projects/new.html", await main_frame(request), status_code, new_project=view)


async def _settings_page(
    request: Request[Any, Any, Any], project: ProjectRow, status_code: int = 200, **answer: object
) -> Response[str]:
    settings = await settings_of(project, request.app.state.settings.sandbox, **answer)
    frame = await project_frame(request, project, "Settings")
    answer_with = page if status_code == 200 else form_again
    return answer_with(request, "projects/settings.html", frame, status_code, settings=settings)
