"""The page of one template, of a project or an agent: written, looked at with a task in it, reset."""

from msgspec import Struct

from app.configuration.forms import PromptForm
from app.configuration.previewing import choices, preview_values
from app.configuration.showing import TITLES, Place, source_view
from app.configuration.sources import TEMPLATES, Configuration, TemplateName
from app.configuration.templates import VARIABLES, render
from app.configuration.views import PromptPage
from app.errors import NotFound
from app.projects.rows import ProjectRow, Prompts
from app.web.forms import Entered
from app.web.hidden import name_hidden

_WHEN = {
    "task": "What an agent is told first, of each task.",
    "rejection": "What it is told when a person asks for changes.",
    "conflict": "What it is told when its work comes back because it conflicts with the base branch.",
}


class Owner(Struct, frozen=True, kw_only=True):
    """Whose template it is: a project's, or an agent's."""

    name: str
    path: str
    back: tuple[str, str]
    prompts: Prompts
    place: Place


def template_named(name: str) -> TemplateName:
    """The name of a template, from an address. 404 for another one."""
    for known in TEMPLATES:
        if known == name:
            return known
    raise NotFound("There is no such prompt.")


async def prompt_page(
    project: ProjectRow,
    owner: Owner,
    name: TemplateName,
    holds: Configuration,
    form: PromptForm,
    *,
    entered: Entered | None = None,
    saved: bool = False,
) -> PromptPage:
    """The page; `holds` is what holds for this owner, `form` what was typed last, `entered` with its errors."""
    entered = entered or Entered()
    own: str = getattr(owner.prompts, name)
    text = form.template or own or holds.prompt(name).text
    agent = owner.name if owner.place.agent_id else ""
    values = await preview_values(project, form.task_id, agent)
    return PromptPage(
        name=name,
        title=TITLES[name],
        when=_WHEN[name],
        action=f"{owner.path}/prompts/{name}",
        back=owner.back,
        owner=owner.name,
        text=text,
        is_own=bool(own),
        source=source_view(holds.prompt(name).source, owner.place),
        above=_above(owner, name, holds),
        variables=tuple(VARIABLES[name].items()),
        tasks=await choices(project.id),
        task_id=form.task_id,
        preview="" if entered.errors else name_hidden(render(text, values)),
        saved=saved,
        form=entered,
    )


def _above(owner: Owner, name: TemplateName, holds: Configuration) -> str:
    source = holds.prompt(name).source
    if source.kind == "repository" and not owner.place.agent_id:
        return f"{source.words} counts before what is written here."
    return ""
