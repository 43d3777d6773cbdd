"""The words with which the program of a run starts: the template that holds, with the values of its task."""

from app.agents.configured import reads_instructions
from app.agents.rows import AgentConfig
from app.configuration.sources import Configuration, TemplateName
from app.configuration.templates import DEFAULTS, render
from app.runs.configured import Kept
from app.runs.rows import RunRow

_TEMPLATES: dict[str, TemplateName] = {"task": "task", "rejection": "rejection", "conflict": "conflict"}
#: What must be known of a task, for a template to be of use: a run that was queued by an earlier version has none.
_NEEDED = {"task": "task.title", "rejection": "rejection.reason", "conflict": "conflict.details"}


def task_words(configuration: Configuration | None, values: dict[str, str]) -> str:
    """What the agent is asked first; empty for a run without a task."""
    if "task.title" not in values:
        return ""
    return render(configuration.prompt("task").text if configuration else DEFAULTS["task"], values)


def worded(run: RunRow, kept: Kept, configuration: Configuration) -> str:
    """The prompt of a run. One that knows no conversation is told its task before anything else."""
    values = kept.prompt_values
    told, name = task_words(configuration, values), _TEMPLATES.get(run.cause)
    if name == "task":
        return told or run.prompt
    if name and _NEEDED[name] in values:
        words = render(configuration.prompt(name).text, values)
        return words if run.native_session_id or not told else f"{told}\n\n{words}"
    plain = render(DEFAULTS["task"], values)
    return told + run.prompt.removeprefix(plain) if told and run.prompt.startswith(plain) else run.prompt


def with_instructions(prompt: str, configuration: Configuration, agent: AgentConfig, *, is_new: bool) -> str:
    """The prompt after the repository's `CLAUDE.md`, where a conversation begins with a program that does not read it
    by itself."""
    instructions = configuration.instructions
    if instructions is None or not instructions.text or not is_new or reads_instructions(agent):
        return prompt
    file = instructions.source.name
    begin = f"This repository asks everybody who works in it to keep to its {file}:"
    return f"{begin}\n\n{instructions.text}\n\n---\n\n{prompt}"
