"""The real Claude Code behind walls: it works, commits, goes on in its conversation, and gets nowhere else."""

import os
from pathlib import Path

import pytest
from litestar import Litestar

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.events.reading import of_session
from app.reviews.rejecting import reject
from app.runs.stopping import stop_run
from tests.git.repositories import user
from tests.processes.outside import outside
from tests.scripted_model import ScriptedModel
from tests.scripted_model.fixture import *  # noqa: F403
from tests.workshop import MARA, Workshop

pytest.importorskip("claude_agent_sdk")
pytestmark = pytest.mark.usefixtures("walls")

LOOK = """cat {data}/secret_key; ls {data}
touch {root}/escaped; touch {root}/.git/hooks/pre-commit; echo x >> {root}/.git/config
git update-ref refs/heads/main HEAD; git config core.fsmonitor evil
kill -0 {server}; cat /proc/{server}/environ; mount -o remount,rw,bind /usr; touch /usr/escaped
grep CapEff /proc/self/status; echo end
"""


@pytest.fixture
def at_home(scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The environment in which Claude Code finds the scripted model, and a person's home with a sign-in."""
    home = tmp_path / "home"
    (home / ".claude").mkdir(parents=True)
    (home / ".claude" / "settings.json").write_text("{}")
    for name, value in {**scripted_model.env, "HOME": str(home)}.items():
        monkeypatch.setenv(name, value)
    return home


async def test_it_works_commits_and_goes_on_inside(
    workshop: Workshop, app: Litestar, at_home: Path, scripted_model: ScriptedModel
) -> None:
    data = app.state.settings.data_dir
    (data / "secret_key").write_text("s3cret" * 8)
    look = LOOK.format(data=data, root=workshop.root, server=os.getpid())
    (workshop.root / "look.sh").write_text(look)
    user(workshop.root, "add", "-A")
    user(workshop.root, "commit", "-qm", "A script")
    main, config = user(workshop.root, "rev-parse", "main"), (workshop.root / ".git" / "config").read_text()

    agent = await create_agent(workshop.project.id, AgentForm(name="claude", sandbox="required"), MARA)
    task = await workshop.task("Inside", agent=agent, description="SCENARIO:inside")
    task = await workshop.until(task, "waiting_approval")
    said = user(workshop.root, "show", f"{task.branch}:look.txt")
    assert said.splitlines()[-2:] == ["CapEff:\t0000000000000000", "end"]
    assert said.count("No such file or directory") >= 3
    assert said.count("Read-only file system") >= 5
    assert "No such process" in said
    assert "s3cret" not in said
    assert user(workshop.root, "log", "-1", "--format=%an %s", str(task.branch)) == "Claude Committed inside"
    assert (user(workshop.root, "rev-parse", "main"), (workshop.root / ".git" / "config").read_text()) == (main, config)
    assert not (workshop.root / "escaped").exists()

    await reject(task.id, "Once more.", MARA)
    task = await workshop.until(task, "waiting_approval")
    assert "Once more." in user(workshop.root, "show", f"{task.branch}:second.txt")
    texts = [str(event.payload.get("text")) for event in await of_session(str(task.session_id), 0)]
    assert not [text for text in texts if "starts afresh" in text or "No sandbox" in text]
    assert list((data / "homes" / workshop.project.id / ".claude" / "projects").rglob("*.jsonl"))
    assert sorted(path.name for path in (at_home / ".claude").iterdir()) == ["settings.json"]


async def test_a_tool_that_runs_behind_walls_is_ended_with_its_run(workshop: Workshop, at_home: Path) -> None:
    agent = await create_agent(workshop.project.id, AgentForm(name="claude"), MARA)
    task = await workshop.task("Never end", agent=agent, description="SCENARIO:forever")
    child = await workshop.file("*/child.pid")
    tool = await workshop.file("*/tool.pid")
    pids = [outside(int(path.read_text()), workshop.root / ".worktrees") for path in (child, tool)]
    run = (await workshop.runs(task))[0]
    await stop_run(run, MARA)
    await workshop.until(task, "error")
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    assert (await workshop.runs(task))[0].error_type == "stopped"
