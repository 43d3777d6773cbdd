"""Finished work of an agent, on any repository: the verbs of a run without its program."""

from collections.abc import Callable
from pathlib import Path

from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.projects.rows import ProjectRow
from app.reviews.approving import approve
from app.reviews.comparing import compare
from app.reviews.forms import Approval
from app.tasks.rows import TaskRow, get_task
from app.worktrees.rows import get_worktree
from tests.work import MARA, begin, end

Work = Callable[[Path], object]


async def work_on(root: Path, work: Work, title: str = "Change it") -> TaskRow:
    """A task of the repository at `root` that waits for approval after `work` was done in its worktree."""
    return await finished(await create_project(NewProject(path=str(root)), MARA), work, title)


async def finished(project: ProjectRow, work: Work, title: str = "Change it") -> TaskRow:
    """The same on a project that is there."""
    claim = await begin(project.id, title)
    work((await get_worktree(claim.worktree_id)).root)
    await end(claim)
    task = await get_task(claim.task_id)
    assert task.column == "waiting_approval"
    return task


async def approval(task: TaskRow, **fields: object) -> Approval:
    """The form as the review page of this moment has it."""
    return Approval(digest=(await compare(task)).digest, **fields)  # type: ignore[arg-type]


async def approve_now(task: TaskRow, **fields: object) -> TaskRow:
    """Look at it, and approve what is there."""
    return await approve(task.id, await approval(task, **fields), MARA)
