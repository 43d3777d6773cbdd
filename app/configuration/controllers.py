"""The configuration of a project: what holds and who said it, what its repository may say, and its prompts."""

from typing import Any

from litestar import Controller, Request, Response, get, post

from app.accounts.people import Person
from app.configuration.forms import ConfigurationForm, PromptForm
from app.configuration.holding import shown_configuration
from app.configuration.prompt_page import Owner, prompt_page, template_named
from app.configuration.showing import Place, shown
from app.configuration.views import ConfigurationPage
from app.configuration.writing import checked, write_configuration, write_prompt
from app.errors import Invalid
from app.projects.frame import project_frame
from app.projects.rows import ProjectRow, get_project
from app.web.forms import Entered, entered, form_items, parse_form
from app.web.replies import after_change, form_again, page


class ConfigurationController(Controller):
    """`/projects/{id}/configuration` and `/projects/{id}/prompts/{name}`."""

    path = "/projects/{project_id:str}"

    @get("/configuration")
    async def show(self, request: Request[Any, Any, Any], project_id: str, saved: bool = False) -> Response[str]:
        """What holds for an agent that says nothing itself; `?saved=true` right after saving."""
        return await _page(request, await get_project(project_id), saved=saved)

    @post("/configuration")
    async def edit(self, request: Request[Any, Any, Any], project_id: str, person: Person) -> Response[Any]:
        """Say whether the repository is trusted, and where its words lie."""
        project = await get_project(project_id)
        items = await form_items(request)
        try:
            await write_configuration(project_id, parse_form(ConfigurationForm, items), person.actor)
        except Invalid as wrong:
            return await _page(request, project, entered(items, wrong))
        return after_change(request, f"/projects/{project_id}/configuration?saved=true")

    @get("/prompts/{name:str}")
    async def show_prompt(
        self, request: Request[Any, Any, Any], project_id: str, name: str, saved: bool = False, task_id: str = ""
    ) -> Response[str]:
        """The template of a prompt, with a preview: of `?task_id=`, or of a sample."""
        project = await get_project(project_id)
        return await _prompt(request, project, name, PromptForm(task_id=task_id), saved=saved)

    @post("/prompts/{name:str}")
    async def edit_prompt(
        self, request: Request[Any, Any, Any], project_id: str, name: str, person: Person
    ) -> Response[Any]:
        """Save it, look at it, or take it away: the button says which."""
        project, template = await get_project(project_id), template_named(name)
        items = await form_items(request)
        form = PromptForm(template=items.get("template", [""])[-1])
        try:
            form = parse_form(PromptForm, items)
            if form.button == "preview":
                checked(template, form.template)
                return await _prompt(request, project, name, form)
            text = "" if form.button == "reset" else checked(template, form.template)
            await write_prompt(project.id, template, text, person.actor)
        except Invalid as wrong:
            return await _prompt(request, project, name, form, entered(items, wrong))
        return after_change(request, f"/projects/{project_id}/prompts/{name}?saved=true")


async def _page(
    request: Request[Any, Any, Any], project: ProjectRow, form: Entered | None = None, *, saved: bool = False
) -> Response[str]:
    found = await shown_configuration(request.app.state.settings, project)
    view = ConfigurationPage(
        project_id=project.id,
        shown=shown(found, Place(project_id=project.id)),
        trust_repository=project.config.trust_repository,
        config_path=project.config_path,
        saved=saved,
        form=form or Entered(),
    )
    frame = await project_frame(request, project, "Settings")
    answer_with = form_again if form else page
    return answer_with(request, "configuration/page.html", frame, 422 if form else 200, configuration=view)


async def _prompt(
    request: Request[Any, Any, Any],
    project: ProjectRow,
    name: str,
    form: PromptForm,
    wrong: Entered | None = None,
    *,
    saved: bool = False,
) -> Response[str]:
    owner = Owner(
        name=project.name,
        path=f"/projects/{project.id}",
        back=(f"/projects/{project.id}/configuration", "Configuration"),
        prompts=project.config.prompts,
        place=Place(project_id=project.id),
    )
    holds = await shown_configuration(request.app.state.settings, project)
    view = await prompt_page(project, owner, template_named(name), holds, form, entered=wrong, saved=saved)
    frame = await project_frame(request, project, "Settings")
    answer_with = form_again if wrong else page
    return answer_with(request, "configuration/prompt.html", frame, 422 if wrong else 200, prompt=view)
