"""Making a worktree can be cut off anywhere and done again."""

import asyncio
import shutil

import msgspec
import pytest

from app.projects.rows import ProjectRow
from app.projects.tables import Project
from app.runs.claiming import claim_next
from app.worktrees import commands
from app.worktrees.creating import SetupFailed, prepare
from app.worktrees.rows import get_worktree, steps_of
from tests.git.repositories import commit, user
from tests.work import begin, queue

PATH = {"PATH": "/usr/bin:/bin:/usr/local/bin"}


async def test_a_folder_that_is_gone_is_made_again_from_its_branch(project: ProjectRow) -> None:
    claim = await begin(project.id, "Count the spokes")
    worktree = await get_worktree(claim.worktree_id)
    commit(worktree.root, {"work.txt": "kept"}, "Work")
    shutil.rmtree(worktree.root)
    assert (await prepare(worktree.id, PATH)).status == "active"
    assert (worktree.root / "work.txt").read_text() == "kept"
    assert [step.status for step in await steps_of(worktree.id)] == ["done", "skipped", "skipped", "skipped"]
    assert user(project.root, "fsck", "--no-dangling") == ""


async def test_requirements_are_installed_into_an_environment_that_git_does_not_see(project: ProjectRow) -> None:
    commit(project.root, {"requirements.txt": "# nothing yet\n"})
    claim = await begin(project.id, "Count the spokes")
    worktree = await get_worktree(claim.worktree_id)
    steps = {step.name: step for step in await steps_of(worktree.id)}
    assert steps["deps"].status == "done", steps["deps"].log
    assert "$ python3 -m venv .venv" in steps["deps"].log
    assert (worktree.root / ".venv/bin/python").exists()
    assert user(worktree.root, "status", "--porcelain") == ""


async def test_an_init_script_sees_what_came_before_it(project: ProjectRow) -> None:
    script = "#!/bin/sh\ncat .env > seen.txt\n"
    commit(project.root, {"init.sh": script, ".gitignore": ".env\nseen.txt\n"})
    (project.root / ".env").write_text("KEY=1\n")
    config = msgspec.structs.replace(project.config, env_file=".env", init_script="init.sh")
    await Project.update({Project.config: config.to_json()}).where(Project.id == project.id)
    claim = await begin(project.id, "Count the spokes")
    worktree = await get_worktree(claim.worktree_id)
    assert (worktree.root / "seen.txt").read_text() == "KEY=1\n"


async def configured(project: ProjectRow, **settings: object) -> str:
    """The id of a worktree that is to be made with these settings."""
    config = msgspec.structs.replace(project.config, **settings)
    await Project.update({Project.config: config.to_json()}).where(Project.id == project.id)
    await queue(project.id)
    claim = await claim_next(project.id)
    assert claim is not None
    return claim.worktree_id


async def test_doing_it_twice_changes_nothing(project: ProjectRow) -> None:
    id = await configured(project, install_command=("sh", "-c", "echo once >> ../count"))
    first = await prepare(id, PATH)
    steps = await steps_of(id)
    (first.root / "work.txt").write_text("mine\n")
    assert await prepare(id, PATH) == first
    assert await steps_of(id) == steps
    assert (first.root.parent / "count").read_text() == "once\n"
    assert user(first.root, "status", "--porcelain") == "?? work.txt"


async def test_killed_in_the_middle_it_goes_on_at_that_step(project: ProjectRow) -> None:
    script = "echo begun >> ../begun; test -e ../ready || { : > ../up; sleep 60; }; echo done"
    id = await configured(project, install_command=("sh", "-c", script))
    root = (await get_worktree(id)).root
    making = asyncio.create_task(prepare(id, PATH))
    async with asyncio.timeout(30):
        while not (root.parent / "up").exists():
            await asyncio.sleep(0.01)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert (await get_worktree(id)).status == "error"
    assert [step.status for step in await steps_of(id)] == ["done", "skipped", "error", "pending"]
    (root.parent / "ready").touch()
    assert (await prepare(id, PATH)).status == "active"
    assert (root.parent / "begun").read_text() == "begun\nbegun\n"


@pytest.mark.parametrize("step", ["deps", "init"])
async def test_what_takes_longer_than_it_may_is_ended_with_what_it_said(project: ProjectRow, step: str) -> None:
    commit(project.root, {"init.sh": "echo half; sleep 60\n"})
    if step == "deps":
        id = await configured(project, install_command=("sh", "init.sh"), install_timeout=1)
    else:
        id = await configured(project, init_script="init.sh", init_timeout=1)
    with pytest.raises(SetupFailed, match="took longer than 1 seconds"):
        await prepare(id, PATH)
    (log,) = [found.log for found in await steps_of(id) if found.name == step]
    assert (log or "").splitlines()[0] == "half"


async def test_what_a_running_step_prints_can_be_read_meanwhile(
    project: ProjectRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "TELL_S", 0.05)
    script = "echo $SECRET_KEY of it; until test -e ../go; do sleep 0.05; done"
    id = await configured(project, install_command=("sh", "-c", script))
    making = asyncio.create_task(prepare(id, {**PATH, "SECRET_KEY": "never-to-be-seen"}))
    async with asyncio.timeout(30):
        while not (said := [step.log for step in await steps_of(id) if step.name == "deps" and step.log]):
            await asyncio.sleep(0.05)
    assert said == ["[redacted: SECRET_KEY] of it"]
    ((await get_worktree(id)).root.parent / "go").touch()
    assert (await making).status == "active"
