"""The words with which a run starts, for one that goes on and for one that begins anew."""

import pytest

from app.agents.rows import AgentConfig
from app.configuration.sources import TEMPLATES, Configuration, Instructions, Prompt, Source
from app.runs.configured import Kept
from app.runs.rows import RunRow
from app.runs.wording import task_words, with_instructions, worded

PROMPTS = {
    "task": "Do {{task.title}}",
    "rejection": "No: {{rejection.reason}}",
    "conflict": "Mend {{conflict.details}}",
}
FILE = Source("repository", "CLAUDE.md", "a" * 40)
HOLDS = Configuration(
    values=(),
    prompts=tuple(Prompt(name, PROMPTS[name], FILE) for name in TEMPLATES),
    instructions=Instructions(FILE, "b" * 40, 5, "Plain"),
)
TASK = {"task.title": "it", "task.description": "Now."}


def run(cause: str, prompt: str, native_session_id: str | None = None) -> RunRow:
    known = {"id": "r", "cause": cause, "prompt": prompt, "native_session_id": native_session_id}
    return RunRow(**{**dict.fromkeys(RunRow.__struct_fields__), **known})


@pytest.mark.parametrize(
    ("cause", "queued", "values", "goes_on", "begins"),
    [
        ("task", "it\n\nNow.", TASK, "Do it", "Do it"),
        ("rejection", "…", TASK | {"rejection.reason": "x"}, "No: x", "Do it\n\nNo: x"),
        ("conflict", "…", TASK | {"conflict.details": "x"}, "Mend x", "Do it\n\nMend x"),
        # Queued before there were templates, or without a task.
        ("rejection", "it\n\nNow.\n\nChange it.", TASK, "Do it\n\nChange it.", "Do it\n\nChange it."),
        ("rejection", "Change it.", TASK, "Change it.", "Change it."),
        ("message", "it\n\nNow.\n\nAnd {{this}}.", TASK, "Do it\n\nAnd {{this}}.", "Do it\n\nAnd {{this}}."),
        ("message", "Hello", {}, "Hello", "Hello"),
        ("background", "Watch", {}, "Watch", "Watch"),
        ("retry", "Your last run ended early.", TASK, "Your last run ended early.", "Your last run ended early."),
    ],
)
def test_the_words_of_a_run(cause: str, queued: str, values: dict[str, str], goes_on: str, begins: str) -> None:
    kept = Kept(prompt_values=values)
    assert worded(run(cause, queued, "conversation"), kept, HOLDS) == goes_on
    assert worded(run(cause, queued), kept, HOLDS) == begins


def test_the_task_is_told_by_the_default_where_nothing_was_kept() -> None:
    assert task_words(None, TASK) == "it\n\nNow."
    assert task_words(HOLDS, {}) == ""


def test_claude_md_is_told_once_and_only_to_who_does_not_read_it() -> None:
    told = "This repository asks everybody who works in it to keep to its CLAUDE.md:\n\nPlain\n\n---\n\nGo"
    claude, itself = AgentConfig(), AgentConfig(runner="command", command=("claude", "-p", "{prompt}"))
    assert with_instructions("Go", HOLDS, claude, is_new=True) == told
    assert with_instructions("Go", HOLDS, claude, is_new=False) == "Go"
    assert with_instructions("Go", HOLDS, itself, is_new=True) == "Go"
