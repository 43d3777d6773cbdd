"""A removal that was cut off when the database went away is finished while the server goes on."""

import asyncio

from app.postgres.reading import execute
from app.projects.rows import ProjectRow
from app.runs.cancelling import cancel
from app.tasks.rows import get_task
from app.tasks.starting import start
from app.worktrees.finishing import Removals
from app.worktrees.removing import TAKING_DOWN
from app.worktrees.rows import WorktreeRow, get_worktree
from tests.git.repositories import user
from tests.work import MARA, begin, end
from tests.workshop import Workshop


async def half_removed(project: ProjectRow) -> WorktreeRow:
    """A worktree with work whose removal is in the database and nowhere else."""
    claim = await begin(project.id, "Count the spokes")
    await end(claim, "stopped")
    worktree = await get_worktree(claim.worktree_id)
    (worktree.root / "late.txt").write_text("not committed\n")
    await execute("UPDATE worktrees SET status = 'removing' WHERE id = $1", worktree.id)
    return worktree


async def test_what_nobody_removes_any_more_is_removed_with_its_work_kept(project: ProjectRow) -> None:
    worktree = await half_removed(project)
    removals = Removals()
    assert await removals.round() == []
    assert await removals.round() == [worktree.id]
    assert (await get_worktree(worktree.id)).status == "removed"
    assert not worktree.root.exists()
    assert user(project.root, "show", f"{worktree.branch}:late.txt") == "not committed"
    assert await removals.round() == []


async def test_what_somebody_is_just_removing_is_left_to_them(project: ProjectRow) -> None:
    worktree = await half_removed(project)
    removals = Removals()
    TAKING_DOWN.add(worktree.id)
    try:
        assert [await removals.round() for _ in range(3)] == [[], [], []]
    finally:
        TAKING_DOWN.discard(worktree.id)
    assert worktree.root.exists()


async def test_what_cannot_be_removed_says_why(project: ProjectRow) -> None:
    worktree = await half_removed(project)
    user(worktree.root, "checkout", "-q", "-b", "elsewhere")
    removals = Removals()
    await removals.round()
    await removals.round()
    now = await get_worktree(worktree.id)
    assert now.status == "error"
    assert "elsewhere" in (now.last_error or "")


async def test_a_task_whose_removal_was_cut_off_can_be_begun_again(workshop: Workshop) -> None:
    """The engine does it by itself, and the task in the queue waits for no more than that."""
    task = await workshop.done("Count", "echo eight > spokes.txt")
    task = await cancel(task.id, actor=MARA)
    await execute("UPDATE worktrees SET status = 'removing' WHERE id = $1", task.worktree_id)
    await start(task.id, actor=MARA)
    async with asyncio.timeout(60):
        await workshop.until(task, "waiting_approval")
    assert (await get_task(task.id)).worktree_id != task.worktree_id
