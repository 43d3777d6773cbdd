"""Making a worktree can be cut off anywhere and done again."""

import shutil

import msgspec

from app.projects.rows import ProjectRow
from app.projects.tables import Project
from app.worktrees.creating import prepare
from app.worktrees.rows import get_worktree, steps_of
from tests.git.repositories import commit, user
from tests.work import begin

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
