"""What holds when several say something, and that a repository can only make less of it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.configuration.layers import project_layer, server_layers
from app.configuration.resolving import resolve
from app.configuration.settings import SETTINGS
from app.configuration.sources import DEFAULT, PROJECT, TASK, Configuration, Layer, Said, Source
from app.configuration.templates import DEFAULTS
from app.projects.rows import ProjectConfig, Prompts
from app.projects.walls import standing
from app.runners.permissions import Permissions
from app.runners.rules import Rules
from app.settings import Settings

AGENT = Source("agent", "opus-1")
FILE = Source("repository", ".claude/config.json", "a1b2c3d4e5f6")
SERVER = server_layers(Settings(data_dir=Path("/tmp")))
ORDER = {"deny": 0, "ask": 1, "allow": 2}


def resolved(*above: Layer, trusted: bool = False) -> Configuration:
    return resolve([*SERVER, *above], trusted=trusted)


def says(source: Source, **values: Any) -> Layer:
    return Layer(source=source, values=values)


@pytest.mark.parametrize(
    ("layers", "said", "source"),
    [
        ((), 50, DEFAULT),
        ((says(PROJECT, maxTurns=40),), 40, PROJECT),
        ((says(PROJECT, maxTurns=40), says(AGENT, maxTurns=60)), 60, AGENT),
        ((says(AGENT, maxTurns=60), says(PROJECT, maxTurns=40)), 60, AGENT),
        ((says(AGENT, maxTurns=60), says(TASK, maxTurns=90)), 90, TASK),
        ((says(AGENT, maxTurns=60), says(FILE, maxTurns=20)), 20, FILE),
        ((says(TASK, maxTurns=90), says(FILE, maxTurns=20)), 20, FILE),
        ((says(AGENT, maxTurns=60), says(FILE, maxTurns=61)), 60, AGENT),
        ((says(FILE, maxTurns=50),), 50, DEFAULT),
    ],
)
def test_a_later_one_counts_and_the_repository_only_lowers(
    layers: tuple[Layer, ...], said: Said, source: Source
) -> None:
    value = resolved(*layers).value("maxTurns")
    assert (value.said, value.source) == (said, source)


def test_a_trusted_repository_stands_between_project_and_agent() -> None:
    layers = (
        says(PROJECT, maxTurns=40, model="sonnet"),
        says(FILE, maxTurns=90, model="opus"),
        says(AGENT, model="haiku"),
    )
    trusted, untrusted = resolved(*layers, trusted=True), resolved(*layers)
    assert (trusted.number("maxTurns"), trusted.text("model")) == (90, "haiku")
    assert (untrusted.number("maxTurns"), untrusted.text("model")) == (40, "haiku")
    assert resolved(says(FILE, model="opus"), trusted=True).value("model").source == FILE


def test_what_does_not_count_is_told_with_the_reason() -> None:
    value = resolved(says(AGENT, maxTurns=30), says(FILE, maxTurns=80, model="opus")).value("maxTurns")
    assert [(other.said, other.source.kind, other.why) for other in value.others] == [
        (50, "default", ""),
        (80, "repository", "is ignored: it is more than 30"),
    ]
    lowered = resolved(says(AGENT, maxTurns=30), says(FILE, maxTurns=8)).value("maxTurns")
    assert (lowered.source, [other.said for other in lowered.others]) == (FILE, [30, 50])
    tools = resolved(says(FILE, allowedTools=("Read", "WebFetch"))).value("allowedTools")
    assert [(other.said, other.why) for other in tools.others if other.why] == [
        (("WebFetch",), "is ignored: it is not among the tools that are allowed here")
    ]


@pytest.mark.parametrize(
    ("here", "asked", "both"),
    [
        (("Read", "Bash"), ("Read", "WebFetch"), ("Read",)),
        (("Edit",), ("Write",), ("Write",)),
        (("Write",), ("Edit",), ("Write",)),
        (("Bash",), ("Bash(git status)", "Bash(ls:*)"), ("Bash(git status)", "Bash(ls:*)")),
        (("Bash(git status)",), ("Bash",), ("Bash(git status)",)),
        (("Bash(git *)",), ("Bash(git status)",), ()),
        (("*",), ("Read", "mcp__github__*"), ("Read", "mcp__github__*")),
        (("mcp__*",), ("mcp__github__*",), ("mcp__github__*",)),
        (("E*",), ("Edit",), ()),
        (("Read",), (), ()),
    ],
)
def test_tools_of_both_are_left_over(here: tuple[str, ...], asked: tuple[str, ...], both: tuple[str, ...]) -> None:
    assert resolved(says(AGENT, allowedTools=here), says(FILE, allowedTools=asked)).allowed_tools == both


@pytest.mark.parametrize("server", ["auto", "required", "off"])
@pytest.mark.parametrize("project", ["", "auto", "required", "off"])
@pytest.mark.parametrize("agent", ["", "required"])
def test_a_sandbox_is_as_the_walls_say_and_a_repository_can_demand_it(server: Any, project: Any, agent: Any) -> None:
    config = ProjectConfig(sandbox=project)
    layers = [*server_layers(Settings(data_dir=Path("/"), sandbox=server)), project_layer(config)]
    layers += [says(AGENT, sandbox=agent)] if agent else []
    assert resolve(layers, trusted=False).text("sandbox") == standing(server, config, agent).mode
    for trusted in (True, False):
        assert resolve([*layers, says(FILE, sandbox="required")], trusted=trusted).text("sandbox") == "required"


def test_rules_add_up_and_only_people_allow() -> None:
    layers = [
        Layer(source=PROJECT, rules=Rules(allow=("Bash(ls)",), deny=("WebFetch",))),
        Layer(source=AGENT, rules=Rules(ask=("Bash(git push*)",))),
        Layer(source=FILE, rules=Rules(allow=("Bash",), ask=("Edit(migrations/**)",), deny=("Read(.env)",))),
    ]
    untrusted = resolved(*layers)
    assert untrusted.holding() == Rules(
        ("Bash(ls)",), ("Edit(migrations/**)", "Bash(git push*)"), ("WebFetch", "Read(.env)")
    )
    assert [(rule.text, rule.source) for rule in untrusted.rules if rule.why] == [("Bash", FILE)]
    assert resolved(*layers, trusted=True).holding().allow == ("Bash(ls)", "Bash")


def test_prompts_come_from_the_last_who_wrote_one() -> None:
    project = project_layer(ProjectConfig(prompts=Prompts(task="P {{task.title}}")))
    written = Layer(source=FILE, prompts={"task": "R {{task.title}}", "conflict": "R {{conflict.files}}"})
    found = resolved(project, written, Layer(source=AGENT, prompts={"conflict": "A {{conflict.files}}"}))
    assert [(prompt.name, prompt.text[:1], prompt.source.kind) for prompt in found.prompts] == [
        ("task", "R", "repository"), ("rejection", "A", "default"), ("conflict", "A", "agent"),
    ]  # fmt: skip
    assert found.prompt("rejection").text == DEFAULTS["rejection"]


def test_a_run_keeps_all_of_it() -> None:
    found = resolved(says(AGENT, allowedTools=("Read",)), says(FILE, allowedTools=("Read", "Bash"), maxTurns=9))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Configuration) == found


TOOLS = ("Read", "Edit", "Write", "Bash", "Bash(git *)", "Bash(git status)", "Read(docs/**)", "WebFetch", "mcp__*", "*")
RULES = (*TOOLS, "Bash(git push*)", "Edit(migrations/**)", "WebFetch(https://example.com/*)", "B*")
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Read", {"file_path": "docs/a.md"}),
    ("Read", {"file_path": "a.py"}),
    ("Edit", {"file_path": "migrations/1.py"}),
    ("Write", {"file_path": "a.py"}),
    ("Bash", {"command": "git status"}),
    ("Bash", {"command": "git push --force"}),
    ("Bash", {"command": "ls; git status"}),
    ("BashOutput", {"id": "1"}),
    ("WebFetch", {"url": "https://example.com/x"}),
    ("mcp__github__list", {"of": "x"}),
)
some_tools = st.lists(st.sampled_from(TOOLS), max_size=4).map(tuple)
some_rules = st.builds(Rules, *[st.lists(st.sampled_from(RULES), max_size=3).map(tuple)] * 3)
some_numbers = {
    setting.key: st.integers(setting.least, setting.most) for setting in SETTINGS if setting.narrowing == "least"
}
some_values = st.fixed_dictionaries(
    {},
    optional={
        **some_numbers, "allowedTools": some_tools, "model": st.sampled_from(("opus", "haiku")),
        "sandbox": st.sampled_from(("auto", "required", "off")),
    },
)  # fmt: skip


def some_layer(source: Source) -> st.SearchStrategy[Layer]:
    return st.builds(Layer, source=st.just(source), values=some_values, rules=some_rules)


@given(
    st.lists(st.one_of(map(some_layer, (PROJECT, AGENT, TASK))), unique_by=lambda each: each.source), some_layer(FILE)
)
def test_a_repository_never_widens(people: list[Layer], repository: Layer) -> None:
    alone, with_it = resolved(*people), resolved(*people, repository)
    for key in some_numbers:
        assert with_it.number(key) <= alone.number(key)
    assert with_it.text("model") == alone.text("model")
    assert with_it.text("sandbox") in (alone.text("sandbox"), "required")
    before, after = (Permissions(each.allowed_tools, Path("/work"), each.holding()) for each in (alone, with_it))
    for tool, arguments in CALLS:
        decisions = before.decide(tool, arguments).decision, after.decide(tool, arguments).decision
        assert ORDER[decisions[1]] <= ORDER[decisions[0]], (tool, arguments, with_it.allowed_tools, with_it.holding())
