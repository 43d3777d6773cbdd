"""An agent is tried: its program runs in a worktree that is thrown away, and nothing of it is left or counted."""

import asyncio
import html
import re
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.agents.rows import AgentRow, get_agent
from app.git.repository import inspect
from app.git.scratch import make_scratch
from app.postgres.reading import scalar
from app.processes import trees
from app.projects.rows import ProjectRow
from app.trials import trying
from app.trials.keeping import clear_forgotten
from tests.git.repositories import user
from tests.scripted_model import ScriptedModel
from tests.scripted_model.fixture import *  # noqa: F403
from tests.visitor import Visitor
from tests.work import MARA

#: It makes a mess: files, a commit, another branch, a file that nobody may write.
MESSY = """
prompt=$(cat); echo "I was asked: $prompt"; echo "in $AGENTPANE_BRANCH"
echo x > left.txt; git add -A; git -c user.name=A -c user.email=a@b commit -qm Mess
git switch -qc "${AGENTPANE_BRANCH%/*}/other"; mkdir d; echo y > d/f; chmod a-w d/f
"""


async def agent_of(project: ProjectRow, folder: Path, script: str = "", **fields: object) -> AgentRow:
    if script:
        (folder / "agent.sh").write_text(script)
        fields |= {"runner": "command", "command": f"sh {folder / 'agent.sh'}"}
    return await create_agent(project.id, AgentForm(name="agent", **fields), MARA)


async def trial(visitor: Visitor, agent: AgentRow, **fields: str) -> str:
    """Begin one as a person does; the text of its outcome."""
    begun = await visitor.send(f"/agents/{agent.id}/try", f"/agents/{agent.id}/try", **fields)
    assert (begun.status_code, begun.headers["location"]) == (303, f"/agents/{agent.id}/try")
    return await ended(visitor, agent)


async def ended(visitor: Visitor, agent: AgentRow) -> str:
    async with asyncio.timeout(60):
        while 'data-trial="running"' in (page := await visitor.page(f"/agents/{agent.id}/try")):
            await asyncio.sleep(0.05)
    return page


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.partition('id="trial"')[2])).split())


def state_dirs(app: Litestar) -> set[Path]:
    return set((app.state.settings.data_dir / "runs").glob("*"))


@pytest.fixture(autouse=True)
def _state_dirs_before(app: Litestar) -> None:
    """Runs of other tests, whose engine was taken away, may have left theirs."""
    app.state.state_dirs_before = state_dirs(app)


async def nothing_is_left(project: ProjectRow, app: Litestar) -> None:
    assert len(user(project.root, "worktree", "list").splitlines()) == 1
    assert user(project.root, "for-each-ref", "--format=%(refname)", "refs/heads") == "refs/heads/main"
    assert not (project.root / ".git" / "refs" / "heads" / "agentpane-scratch").exists()
    assert user(project.root, "status", "--porcelain") == ""
    assert list((project.root / ".worktrees").glob("*")) == []
    assert state_dirs(app) == app.state.state_dirs_before
    for table in ("agent_runs", "tasks", "sessions", "worktrees", "audit_logs"):
        assert await scalar(f"SELECT count(*) FROM {table} WHERE project_id = $1", project.id) == 0


async def test_it_works_and_leaves_nothing(
    visitor: Visitor, app: Litestar, project: ProjectRow, tmp_path: Path
) -> None:
    agent = await agent_of(project, tmp_path, MESSY)
    assert f'action="/agents/{agent.id}/try"' in await visitor.page(f"/agents/{agent.id}")
    page = await trial(visitor, agent, prompt="Say <b>hello</b>.")
    assert 'data-trial="succeeded"' in page
    assert "I was asked: Say <b>hello</b>." in words(page)
    assert "<b>hello</b>" not in page
    assert "unknown" in words(page)
    await nothing_is_left(project, app)
    after = await get_agent(agent.id)
    assert after.status == "idle"


async def test_it_is_confined_as_its_work_is(
    visitor: Visitor, app: Litestar, project: ProjectRow, tmp_path: Path, walls: None
) -> None:
    (app.state.settings.data_dir / "secret_key").write_text("s3cret")
    agent = await agent_of(project, tmp_path, f"{MESSY}\ncat {app.state.settings.data_dir}/secret_key 2>&1")
    page = await trial(visitor, agent)
    assert "No such file or directory" in words(page)
    assert "s3cret" not in page
    assert "Without a sandbox" not in words(page)
    await nothing_is_left(project, app)


async def test_a_failure_is_told_with_what_the_program_said(
    visitor: Visitor, app: Litestar, project: ProjectRow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-value-0123456789")
    red = 'printf "\\033[91m401\\033[0m Unauthorized for $OPENAI_API_KEY\\n"'
    agent = await agent_of(project, tmp_path, f"{red} >&2; exit 3")
    page = await trial(visitor, agent)
    assert 'data-trial="failed"' in page
    assert "did not accept the key" in words(page)
    assert "401 Unauthorized for" in words(page)
    assert "very-secret" not in page
    await nothing_is_left(project, app)


async def test_a_program_that_is_not_here_is_told(visitor: Visitor, app: Litestar, project: ProjectRow) -> None:
    agent = await agent_of(project, Path(), runner="command", command="not-on-this-machine {prompt}")
    assert "The program is not on this machine" in words(await trial(visitor, agent))
    await nothing_is_left(project, app)


async def test_it_is_stopped_and_not_begun_twice(
    visitor: Visitor, app: Litestar, project: ProjectRow, tmp_path: Path
) -> None:
    agent = await agent_of(project, tmp_path, "echo up; setsid tail -f /dev/null & tail -f /dev/null")
    path = f"/agents/{agent.id}/try"
    await visitor.send(path, path)
    async with asyncio.timeout(30):
        while "up" not in words(await visitor.page(path)):
            await asyncio.sleep(0.05)
    tried = app.state.trials._newest[agent.id]
    assert len(trees.find_marked(tried.id)) >= 3
    partial = await visitor.get(path, **{"hx-request": "true"})
    assert partial.text.startswith('<hx-partial hx-target="#trial"')
    assert 'hx-trigger="load delay:1s"' in partial.text
    assert (await visitor.send(path, path)).status_code == 409
    stopped = await visitor.send(path, f"{path}/stop")
    assert stopped.status_code == 303
    assert 'data-trial="stopped"' in await visitor.page(path)
    assert trees.find_marked(tried.id) == []
    await nothing_is_left(project, app)


async def test_it_ends_by_itself_and_with_the_server(
    visitor: Visitor, app: Litestar, project: ProjectRow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await agent_of(project, tmp_path, "echo up; tail -f /dev/null")
    monkeypatch.setattr(trying, "TRY_S", 1.0)
    assert "It was not done in time" in words(await trial(visitor, agent))
    await nothing_is_left(project, app)
    monkeypatch.undo()
    path = f"/agents/{agent.id}/try"
    await visitor.send(path, path)
    await app.state.trials.close()
    assert "The server was stopped" in words(await visitor.page(path))
    await nothing_is_left(project, app)


async def test_what_a_killed_server_left_is_taken_away(app: Litestar, project: ProjectRow) -> None:
    repository = await inspect(project.root)
    head = user(project.root, "rev-parse", "main")
    made = await make_scratch(repository, project.root / ".worktrees" / "try-abc", "abc", head)
    (made.path / "left.txt").write_text("x")
    assert await clear_forgotten() == 1
    await nothing_is_left(project, app)
    assert await clear_forgotten() == 0


async def test_what_cannot_be_asked_is_said(visitor: Visitor, project: ProjectRow, tmp_path: Path) -> None:
    agent = await agent_of(project, tmp_path, "true")
    path = f"/agents/{agent.id}/try"
    answer = await visitor.send(path, path, prompt="x" * 501)
    assert (answer.status_code, 'id="f-prompt-error"' in answer.text) == (422, True)
    assert "data-trial" not in answer.text


async def test_the_real_claude_is_tried_by_its_rules(
    visitor: Visitor, app: Litestar, project: ProjectRow, tmp_path: Path,
    scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pytest.importorskip("claude_agent_sdk")
    for name, value in {**scripted_model.env, "HOME": str(tmp_path), "CLAUDE_CODE_MAX_RETRIES": "1"}.items():
        monkeypatch.setenv(name, value)
    retries = msgspec.structs.replace(app.state.settings, agent_env=("CLAUDE_CODE_MAX_RETRIES",))
    monkeypatch.setattr(app.state, "settings", retries)
    agent = await agent_of(project, tmp_path, permissions_ask="Bash(git status*)")
    page = await trial(visitor, agent, prompt="SCENARIO:journey")
    assert 'data-trial="succeeded"' in page
    assert "All done: wrote hello.txt." in words(page)
    assert 'data-status="ok"' in page
    assert 'data-status="refused"' in page
    assert "3.2 k" in words(page)
    refused = await trial(visitor, agent, prompt="SCENARIO:http401")
    assert "did not accept the key" in words(refused)
    assert "ANTHROPIC_API_KEY" in words(refused)
    await nothing_is_left(project, app)
