"""The worktree row of a task: the one it has, or a new one with its four steps pending."""

from app.events.recording import SYSTEM, record
from app.ids import create_id
from app.postgres.reading import one
from app.projects.rows import ProjectRow
from app.tasks.rows import TaskRow
from app.worktrees.naming import branch_name, folder_of
from app.worktrees.numbering import give_number
from app.worktrees.rows import SELECT_WORKTREE, STEPS, WorktreeRow, get_worktree
from app.worktrees.tables import Worktree, WorktreeStep


async def worktree_for(task: TaskRow, project: ProjectRow) -> WorktreeRow:
    """The task's worktree in whatever state it is, or a new row in `creating`. The caller holds the project's lock."""
    existing = await one(
        WorktreeRow, f"{SELECT_WORKTREE} WHERE id = $1 AND status NOT IN ('removed', 'removing')", task.worktree_id
    )
    if existing is not None:
        return existing if existing.number is not None else await _numbered(existing.id)
    worktree_id = create_id()
    await Worktree.insert(
        Worktree(
            id=worktree_id,
            project_id=project.id,
            task_id=task.id,
            branch=task.branch or branch_name(project, task),
            base_branch=project.config.default_branch,
            path=str(folder_of(project, task)),
        )
    )
    await WorktreeStep.insert(*(WorktreeStep(id=create_id(), worktree_id=worktree_id, name=name) for name in STEPS))
    await record(project.id, "worktree.created", actor=SYSTEM, subject=task.id, payload={"worktree": worktree_id})
    return await _numbered(worktree_id)


async def _numbered(worktree_id: str) -> WorktreeRow:
    await give_number(worktree_id)
    return await get_worktree(worktree_id)
