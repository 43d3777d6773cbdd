"""Write what people say about a project's configuration beyond its settings."""

import msgspec

from app.configuration.forms import ConfigurationForm
from app.configuration.sources import TemplateName
from app.configuration.templates import TemplateRefused, check
from app.errors import Invalid
from app.events.recording import Actor
from app.projects.editing import change_config
from app.projects.rows import Prompts


async def write_configuration(project_id: str, form: ConfigurationForm, actor: Actor) -> None:
    """Whether the repository is trusted, and where its words lie. `VALIDATION_ERROR` beside `config_path`."""
    folder = form.config_path.strip("/") or ".claude"
    parts = folder.split("/")
    if form.config_path.startswith(("/", "~")) or not folder.isprintable() or {"", ".", "..", ".git"} & set(parts):
        raise Invalid({"config_path": "Give a folder inside the repository, such as .claude."})
    await change_config(
        project_id,
        lambda config: msgspec.structs.replace(config, trust_repository=form.trust_repository),
        actor,
        {"trustRepository": form.trust_repository, "configPath": folder},
        config_path=folder,
    )


async def write_prompt(project_id: str, name: TemplateName, text: str, actor: Actor) -> None:
    """A template of the project; an empty one is taken away. `VALIDATION_ERROR` beside `template`."""
    await change_config(
        project_id,
        lambda config: msgspec.structs.replace(config, prompts=with_prompt(config.prompts, name, text)),
        actor,
        {"prompt": name},
    )


def with_prompt(prompts: Prompts, name: TemplateName, text: str) -> Prompts:
    """The templates with another one. `VALIDATION_ERROR` beside `template` for one that cannot be read."""
    return msgspec.structs.replace(prompts, **{name: text and checked(name, text)})


def checked(name: TemplateName, text: str) -> str:
    """The text, once it is a template. `VALIDATION_ERROR` beside `template`."""
    try:
        check(name, text)
    except TemplateRefused as wrong:
        raise Invalid({"template": str(wrong)}) from wrong
    return text
