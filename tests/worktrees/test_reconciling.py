"""Rows against `git worktree list`: what is wrong is shown with what helps, and nothing is deleted for it."""

import asyncio
import logging
import shutil
import sys
from pathlib import Path

import pytest

from app.errors import Conflict
from app.postgres.reading import execute
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from app.runs import engine as engines
from app.runs.engine import Engine
from app.worktrees import reconciling
from app.worktrees.clearing import clear
from app.worktrees.reconciling import WorktreeReconciler
from app.worktrees.removing import take_down
from app.worktrees.restoring import restore
from app.worktrees.rows import WorktreeRow, get_worktree, steps_of
from app.worktrees.states import change
from app.worktrees.surveying import survey
from tests.git.repositories import commit, user
from tests.work import MARA, begin, end, until
from tests.workshop import Workshop


@pytest.fixture
async def worktree(project: ProjectRow) -> WorktreeRow:
    """One with a commit and a file that no commit has, whose run has ended."""
    claim = await begin(project.id, "Count the spokes")
    worktree = await get_worktree(claim.worktree_id)
    commit(worktree.root, {"work.txt": "kept"}, "Work")
    await end(claim, "stopped")
    (worktree.root / "late.txt").write_text("not committed\n")
    return worktree


@pytest.fixture(autouse=True)
def _always_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "EACH_S", 0.0)


async def two_rounds() -> list[str]:
    reconciler = WorktreeReconciler()
    assert await reconciler.round() == []
    return await reconciler.round()


async def test_nothing_is_wrong_with_a_worktree_that_is_there(project: ProjectRow, worktree: WorktreeRow) -> None:
    found = await survey(project)
    assert (found.lost, found.strays, found.error) == ({}, (), "")
    assert await two_rounds() == []


async def test_a_folder_that_is_gone_is_told_and_made_again_from_its_branch(
    project: ProjectRow, worktree: WorktreeRow
) -> None:
    shutil.rmtree(worktree.root)
    assert (await survey(project)).lost == {worktree.id: "gone"}
    assert await two_rounds() == [worktree.id]
    now = await get_worktree(worktree.id)
    assert (now.status, now.last_error) == (
        "error",
        f"The folder {worktree.path} is gone. Make it again from its branch, or remove it.",
    )
    assert (await restore(worktree.id, MARA)).status == "active"
    assert (worktree.root / "work.txt").read_text() == "kept"
    assert [step.status for step in await steps_of(worktree.id)] == ["done", "skipped", "pending", "pending"]
    assert (await survey(project)).lost == {}


async def test_one_whose_task_is_verified_is_not_made_again(project: ProjectRow, worktree: WorktreeRow) -> None:
    shutil.rmtree(worktree.root)
    await two_rounds()
    await execute("UPDATE tasks SET \"column\" = 'verified' WHERE id = $1", worktree.task_id)
    with pytest.raises(Conflict, match="is verified"):
        await restore(worktree.id, MARA)
    assert not worktree.root.exists()


async def test_one_that_is_gone_can_be_forgotten_and_its_branch_stays(
    project: ProjectRow, worktree: WorktreeRow
) -> None:
    tip = user(worktree.root, "rev-parse", "HEAD")
    shutil.rmtree(worktree.root)
    await two_rounds()
    await take_down(await get_worktree(worktree.id))
    assert (await get_worktree(worktree.id)).status == "removed"
    assert user(project.root, "rev-parse", worktree.branch) == tip
    assert len(user(project.root, "worktree", "list").splitlines()) == 1


async def test_a_run_that_is_going_on_is_not_disturbed(project: ProjectRow) -> None:
    worktree = await get_worktree((await begin(project.id)).worktree_id)
    shutil.rmtree(worktree.root)
    assert await two_rounds() == []
    assert (await get_worktree(worktree.id)).status == "active"
    with pytest.raises(Conflict, match="at work"):
        await restore(worktree.id, MARA)


async def test_one_whose_making_was_cut_off_is_told(project: ProjectRow, worktree: WorktreeRow) -> None:
    await execute("UPDATE worktrees SET status = 'creating' WHERE id = $1", worktree.id)
    await execute("UPDATE worktree_steps SET status = 'running' WHERE worktree_id = $1 AND name = 'env'", worktree.id)
    assert await two_rounds() == [worktree.id]
    assert "cut off" in ((await get_worktree(worktree.id)).last_error or "")
    assert (await restore(worktree.id, MARA)).status == "active"
    assert (worktree.root / "late.txt").exists()


async def test_a_worktree_that_was_moved_with_its_project_is_repaired(
    project: ProjectRow, worktree: WorktreeRow, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    project.root.rename(moved)
    assert "is not a folder" in (await survey(project)).error
    await execute("UPDATE projects SET path = $1", str(moved))
    path = moved / worktree.root.relative_to(project.root)
    await execute("UPDATE worktrees SET path = $1", str(path))
    here = await get_worktree(worktree.id)
    assert await two_rounds() == [worktree.id]
    assert "was moved" in ((await get_worktree(worktree.id)).last_error or "")
    assert (await restore(worktree.id, MARA)).status == "active"
    assert user(path, "branch", "--show-current") == here.branch
    assert (path / "late.txt").exists()


async def test_a_folder_that_git_forgot_is_left_alone(project: ProjectRow, worktree: WorktreeRow) -> None:
    user(project.root, "worktree", "unlock", worktree.root)
    assert (await survey(project)).lost == {worktree.id: "unmarked"}
    assert (await restore(worktree.id, MARA)).status == "active"
    record = Path(user(worktree.root, "rev-parse", "--absolute-git-dir"))
    shutil.rmtree(record)
    assert (await survey(project)).lost == {worktree.id: "unknown"}
    with pytest.raises(Conflict, match="Move that folder away"):
        await restore(worktree.id, MARA)
    assert (worktree.root / "late.txt").exists()


async def test_a_repository_that_is_gone_is_one_line_in_the_log(
    project: ProjectRow, worktree: WorktreeRow, caplog: pytest.LogCaptureFixture
) -> None:
    project.root.rename(project.root.with_name("elsewhere"))
    reconciler = WorktreeReconciler()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert await reconciler.round() == []
    assert [record.getMessage() for record in caplog.records] == [
        f"project wheelwright: the repository cannot be looked at: {project.root} is not a folder."
    ]
    assert (await get_worktree(worktree.id)).status == "active"


async def test_a_repository_is_not_looked_at_again_at_once(
    project: ProjectRow, worktree: WorktreeRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "EACH_S", 30.0)
    shutil.rmtree(worktree.root)
    reconciler = WorktreeReconciler()
    for _ in range(5):
        assert await reconciler.round() == []


async def test_a_worktree_without_a_row_is_saved_and_removed(project: ProjectRow, worktree: WorktreeRow) -> None:
    """As after the database was restored from a backup."""
    await execute("DELETE FROM worktrees")
    (stray,) = (await survey(project)).strays
    assert (stray.id, stray.path, stray.branch) == (worktree.id, worktree.path, worktree.branch)
    with pytest.raises(Conflict, match="not as you were shown"):
        await clear(project, stray.path, "0" * 40, MARA)
    cleared = await clear(project, stray.path, stray.head, MARA)
    assert not worktree.root.exists()
    assert user(project.root, "show", f"{cleared.branch}:late.txt") == "not committed"
    assert user(project.root, "rev-parse", worktree.branch) == cleared.commit
    assert (await survey(project)).strays == ()


async def test_one_that_is_removed_in_the_database_and_there_in_git_is_a_stray(
    project: ProjectRow, worktree: WorktreeRow
) -> None:
    async with locked(project.id):
        await change(worktree, "remove")
        await change(worktree, "vanish")
    assert [stray.id for stray in (await survey(project)).strays] == [worktree.id]


async def test_a_stray_in_which_a_program_works_is_left_alone(project: ProjectRow, worktree: WorktreeRow) -> None:
    await execute("DELETE FROM worktrees")
    (stray,) = (await survey(project)).strays
    working = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(flush=True); input()", cwd=worktree.root,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert working.stdout is not None
    await working.stdout.readline()
    try:
        with pytest.raises(Conflict, match=f"Process {working.pid} works in"):
            await clear(project, stray.path, stray.head, MARA)
        assert (worktree.root / "late.txt").exists()
    finally:
        working.kill()
        await working.wait()


async def test_a_stray_without_a_branch_stays(project: ProjectRow, worktree: WorktreeRow) -> None:
    user(worktree.root, "checkout", "-q", "--detach")
    await execute("DELETE FROM worktrees")
    (stray,) = (await survey(project)).strays
    with pytest.raises(Conflict, match="no branch checked out"):
        await clear(project, stray.path, stray.head, MARA)
    assert (worktree.root / "late.txt").exists()


async def test_other_worktrees_of_the_repository_are_nobodys_business(project: ProjectRow, tmp_path: Path) -> None:
    user(project.root, "worktree", "add", "-q", "-b", "mine", tmp_path / "mine")
    assert (await survey(project)).strays == ()


async def test_the_engine_does_it_by_itself(
    engine: Engine, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await workshop.done("Say it", "echo done > done.txt")
    worktree = await get_worktree(task.worktree_id or "")
    shutil.rmtree(worktree.root)
    await engine.stop()
    monkeypatch.setattr(engines, "TICK_S", 0.1)
    engine.start()

    async def is_told() -> bool | None:
        return (await get_worktree(worktree.id)).status == "error" or None

    await until(workshop.app, is_told)
