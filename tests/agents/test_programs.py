"""The forms of agents offer the programs of this machine, and a link fills them in."""

import html
import re
from pathlib import Path

import pytest

from app.agents.rows import agents_of
from app.projects.rows import ProjectRow
from tests.runners.test_presets import program
from tests.visitor import Visitor

CODEX = "codex exec --json --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox {prompt}"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which Codex is, signed in, and opencode is not; its folder of programs."""
    program(tmp_path / "bin", "codex", "echo codex-cli 0.169.0")
    (tmp_path / "home" / ".codex").mkdir(parents=True)
    (tmp_path / "home" / ".codex" / "auth.json").write_text("{}")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "bin"


def row(page: str, preset: str) -> str:
    found = re.search(rf'<li class="program" data-preset="{preset}".*?</li>', page, re.DOTALL)
    assert found
    return html.unescape(re.sub(r"<[^>]+>", " ", found[0]))


async def test_what_is_here_is_offered_and_a_choice_fills_the_form(
    visitor: Visitor, project: ProjectRow, machine: Path
) -> None:
    path = f"/projects/{project.id}/agents"
    page = await visitor.page(path)
    assert "0.169.0" in row(page, "codex")
    assert "signed in" in row(page, "codex")
    assert "Install it: npm install -g opencode-ai" in " ".join(row(page, "opencode-acp").split())
    filled = await visitor.page(f"{path}?preset=codex")
    assert f'value="{CODEX}"' in html.unescape(filled)
    assert '<option value="command" selected>' in filled
    await visitor.send(path, path, name="codex", runner="command", command=CODEX)
    (agent,) = await agents_of(project.id)
    shown = await visitor.page(f"/agents/{agent.id}")
    assert re.search(r"<code[^>]*>codex</code> 0\.169\.0", shown)
    assert "no-sign-in" not in shown

    # The agent's own form is filled the same way, and its name stays.
    other = await visitor.page(f"/agents/{agent.id}?preset=opencode-acp")
    assert 'value="opencode acp"' in other
    assert 'name="name" value="codex"' in other
    await visitor.send(f"/agents/{agent.id}", f"/agents/{agent.id}", name="codex", runner="acp", command="opencode acp")
    missing = await visitor.page(f"/agents/{agent.id}")
    assert "This agent cannot start" in missing
    assert "npm install -g opencode-ai" in missing


async def test_a_choice_that_is_not_known_is_said_beside_the_field(
    visitor: Visitor, project: ProjectRow, machine: Path
) -> None:
    answer = await visitor.get(f"/projects/{project.id}/agents?preset=perl")
    assert (answer.status_code, 'id="f-runner-error"' in answer.text) == (422, True)


async def test_an_agent_without_a_sign_in_says_so(visitor: Visitor, project: ProjectRow, machine: Path) -> None:
    (machine.parent / "home" / ".codex" / "auth.json").unlink()
    path = f"/projects/{project.id}/agents"
    await visitor.send(path, path, name="codex", runner="command", command=CODEX)
    (agent,) = await agents_of(project.id)
    assert "No key or sign-in was found for codex" in await visitor.page(f"/agents/{agent.id}")


async def test_a_program_that_is_not_known_is_never_started_for_its_version(
    visitor: Visitor, project: ProjectRow, machine: Path
) -> None:
    deploy = program(machine, "deploy", "touch $HOME/deployed")
    path = f"/projects/{project.id}/agents"
    await visitor.send(path, path, name="deploy", runner="command", command=deploy)
    (agent,) = await agents_of(project.id)
    assert "deploy" in await visitor.page(f"/agents/{agent.id}")
    assert not (machine.parent / "home" / "deployed").exists()


async def test_the_machine_has_a_page(visitor: Visitor, project: ProjectRow, machine: Path) -> None:
    page = await visitor.page("/system/health")
    assert 'data-state="ok"' in page
    assert "PostgreSQL" in page
    assert "0.169.0" in row(page, "codex")
