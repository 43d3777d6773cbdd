"""A configuration in words."""

from msgspec import Struct

from app.configuration.settings import BY_KEY
from app.configuration.sources import Configuration, Instructions, Other, Prompt, Said, SaidRule, Source, Value
from app.configuration.views import ConfigurationView, OtherView, PromptLink, RuleView, SettingView, SourceView
from app.web.formats import plural
from app.web.hidden import name_hidden

TITLES = {"task": "First prompt of a task", "rejection": "After a rejection", "conflict": "With a conflict"}
_DOES = {"deny": "refuses", "ask": "asks", "allow": "allows"}
_SANDBOX = {"auto": "where it can be had", "required": "required", "off": "off"}


class Place(Struct, frozen=True, kw_only=True):
    """Whose configuration it is: what its sources lead to."""

    project_id: str
    agent_id: str = ""
    task_id: str = ""
    #: As `agents.config.runner`; empty for no agent in particular.
    runner: str = ""
    reads_instructions: bool = False


def shown(configuration: Configuration, place: Place) -> ConfigurationView:
    """The whole of it."""
    return ConfigurationView(
        settings=tuple(_setting(value, place) for value in configuration.values),
        rules=tuple(_rule(rule, place) for rule in configuration.rules),
        prompts=tuple(_prompt(prompt, place) for prompt in configuration.prompts),
        branch=configuration.branch,
        commit=configuration.commit[:10],
        ignored=tuple((name_hidden(note.file), note.text) for note in configuration.notes),
        instructions=source_view(configuration.instructions.source, place) if configuration.instructions else None,
        instructions_words=_instructions(configuration.instructions, place) if configuration.instructions else "",
        trusted=configuration.trusted,
    )


def source_view(source: Source, place: Place) -> SourceView:
    """Who said something, with the way there."""
    ways = {
        "project": f"/projects/{place.project_id}/settings#agents",
        "agent": f"/agents/{place.agent_id}#configuration" if place.agent_id else "",
        "task": f"/tasks/{place.task_id}#edit-form" if place.task_id else "",
    }
    is_file = source.kind == "repository"
    return SourceView(
        words=name_hidden(source.name) if is_file else source.words,
        href=ways.get(source.kind, ""),
        commit=source.commit[:10],
        is_file=is_file,
    )


def _setting(value: Value, place: Place) -> SettingView:
    setting = BY_KEY[value.key]
    items = value.said if isinstance(value.said, tuple) else ()
    return SettingView(
        key=value.key,
        label=setting.label,
        said="none" if isinstance(value.said, tuple) and not items else "" if items else _words(value.key, value.said),
        items=items,
        is_code=value.key == "model" and bool(value.said),
        source=source_view(value.source, place),
        others=tuple(
            _other(value.key, other, place) for other in value.others if other.why or other.said != value.said
        ),
        note=setting.of_commands if place.runner == "command" else "",
    )


def _other(key: str, other: Other, place: Place) -> OtherView:
    return OtherView(said=_words(key, other.said), source=source_view(other.source, place), why=other.why)


def _words(key: str, said: Said) -> str:
    match key, said:
        case "model", "":
            return "its program's own"
        case "sandbox", str(mode):
            return _SANDBOX[mode]
        case _, tuple(names):
            return ", ".join(names) or "none"
        case _, int(number):
            return f"{number:,} {BY_KEY[key].unit}".strip()
    return str(said)


def _rule(rule: SaidRule, place: Place) -> RuleView:
    return RuleView(kind=_DOES[rule.kind], text=rule.text, source=source_view(rule.source, place), why=rule.why)


def _prompt(prompt: Prompt, place: Place) -> PromptLink:
    owner = f"/agents/{place.agent_id}" if place.agent_id else f"/projects/{place.project_id}"
    first = name_hidden(prompt.text.strip().split("\n")[0])
    source = source_view(prompt.source, place)
    return PromptLink(
        name=prompt.name,
        title=TITLES[prompt.name],
        source=source,
        first_line=first[:120],
        href="" if place.task_id else f"{owner}/prompts/{prompt.name}",
    )


def _instructions(found: Instructions, place: Place) -> str:
    size = plural(found.characters, "character")
    if place.reads_instructions:
        return f"{size}; its program reads it by itself"
    return f"{size}, told before the first prompt" + ("" if place.runner else " to programs that do not read it")
