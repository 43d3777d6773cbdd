"""Everybody's words put together for one agent."""

import json
from pathlib import Path

import msgspec
import pytest

from app.agents.configured import agent_configuration, agent_layer, reads_instructions
from app.agents.rows import AgentConfig, AgentRow
from app.clock import now
from app.configuration.holding import confined
from app.configuration.sources import TASK, Layer
from app.projects.rows import ProjectConfig, ProjectRow
from app.projects.tables import DEFAULT_MODEL
from app.projects.walls import standing
from app.settings import Settings
from tests.git.repositories import make_repository

SETTINGS = Settings(data_dir=Path("/data"), default_model="opus-of-the-server", sandbox="off")


def agent(**config: object) -> AgentRow:
    return AgentRow(
        id="a", project_id="p", name="opus-1", type="task", status="idle", config=AgentConfig(**config),
        current_task_id=None, current_session_id=None, current_worktree_id=None, total_tasks=0, completed_tasks=0,
        failed_tasks=0, last_error=None, last_error_at=None, created_at=now(),
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> ProjectRow:
    said = {"sandbox": "required", "memoryLimitMb": 512, "model": "opus-of-the-repository"}
    root = make_repository(tmp_path / "r", {".claude/config.json": json.dumps(said)})
    return ProjectRow(
        id="p", name="p", path=str(root), description=None, config=ProjectConfig(), max_concurrent_agents=3
    )


def trusting(project: ProjectRow) -> ProjectRow:
    return msgspec.structs.replace(project, config=msgspec.structs.replace(project.config, trust_repository=True))


@pytest.mark.parametrize(
    ("config", "model", "trusted"),
    [
        ({}, "opus-of-the-server", "opus-of-the-repository"),
        # It stands in every row that was made before agents stored only what was chosen for them.
        ({"model": DEFAULT_MODEL}, "opus-of-the-server", "opus-of-the-repository"),
        ({"model": "haiku"}, "haiku", "haiku"),
        ({"runner": "acp", "command": ("opencode", "acp")}, "", ""),
        ({"runner": "acp", "command": ("opencode", "acp"), "model": DEFAULT_MODEL}, DEFAULT_MODEL, DEFAULT_MODEL),
    ],
)
async def test_which_model_holds(project: ProjectRow, config: dict[str, object], model: str, trusted: str) -> None:
    worker = agent(**config)
    assert (await agent_configuration(SETTINGS, project, worker)).text("model") == model
    assert (await agent_configuration(SETTINGS, trusting(project), worker)).text("model") == trusted
    task = Layer(source=TASK, values={"model": "of the task"})
    assert (await agent_configuration(SETTINGS, project, worker, task)).text("model") == "of the task"


async def test_what_the_repository_demands_holds_for_what_is_started(project: ProjectRow) -> None:
    held = confined(project, await agent_configuration(SETTINGS, project, agent()))
    assert (held.config.memory_limit_mb, held.config.process_limit) == (512, 1000)
    assert standing("off", held.config).mode == "required"
    assert standing("off", project.config).mode == "off"


def test_the_document_of_an_agent_has_every_key_and_says_which_are_its_projects() -> None:
    said = ProjectConfig(model="sonnet", max_turns=40, allowed_tools=("Read",))
    document = AgentConfig(max_turns=9).to_json(said)
    assert msgspec.json.decode(document) == {
        "allowedTools": ["Read"], "maxTurns": 9, "model": "sonnet", "runner": "claude", "command": [],
        "inherits": ["allowedTools", "model"],
    }  # fmt: skip
    assert msgspec.json.decode(document, type=AgentConfig) == AgentConfig(max_turns=9)
    acp = AgentConfig(runner="acp", allowed_tools=("Edit",), max_turns=3)
    assert msgspec.json.decode(acp.to_json(said))["model"] == ""
    assert msgspec.json.decode(acp.to_json(said), type=AgentConfig) == acp
    odd = b'{"inherits": ["maxTurns", "nothing"], "maxTurns": 3, "model": "opus"}'
    assert msgspec.json.decode(odd, type=AgentConfig) == AgentConfig(model="opus")


def test_an_agent_says_only_what_was_chosen_for_it() -> None:
    assert agent_layer(agent(model=DEFAULT_MODEL)).values == {}
    assert agent_layer(agent(max_turns=50, sandbox="required")).values == {"maxTurns": 50, "sandbox": "required"}


@pytest.mark.parametrize(
    ("config", "reads"),
    [
        ({"runner": "claude"}, False),
        ({"runner": "acp", "command": ("opencode", "acp")}, False),
        ({"runner": "command", "command": ("/usr/bin/claude", "-p", "{prompt}")}, True),
        ({"runner": "command", "command": ("opencode", "run", "{prompt}")}, True),
        ({"runner": "command", "command": ("sh", "claude")}, False),
    ],
)
def test_who_reads_claude_md_by_itself(config: dict[str, object], reads: bool) -> None:
    assert reads_instructions(agent(**config).config) is reads
