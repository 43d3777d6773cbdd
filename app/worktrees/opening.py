"""The worktree row of a task or a session: the one it has, or a new one with its four steps pending."""

from app.events.recording import SYSTEM, record
from app.ids import create_id
from app.postgres.reading import one
from app.projects.rows import ProjectRow
from app.sessions.standalone import Standalone
from app.tasks.rows import TaskRow
from app.worktrees.naming import Titled, branch_name, folder_of
from app.worktrees.numbering import give_number
from app.worktrees.rows import SELECT_WORKTREE, STEPS, WorktreeRow, get_worktree
from app.worktrees.tables import Worktree, WorktreeStep


async def worktree_for(task: TaskRow, project: ProjectRow) -> WorktreeRow:
    """The task's worktree in whatever state it is, or a new row in `creating`. The caller holds the project's lock."""
    return await _existing(task.worktree_id) or await _insert(project, task, task.id, task.branch)


async def worktree_for_session(session: Standalone, project: ProjectRow) -> WorktreeRow:
    """The same for a session that belongs to no task."""
    return await _existing(session.worktree_id) or await _insert(project, session, None, None)


async def give_to_task(worktree_id: str, task_id: str) -> None:
    """From now on the worktree is the one of this task. The caller holds the project's lock."""
    await Worktree.update({Worktree.task_id: task_id}).where(Worktree.id == worktree_id)


async def _existing(worktree_id: str | None) -> WorktreeRow | None:
    existing = await one(
        WorktreeRow, f"{SELECT_WORKTREE} WHERE id = $1 AND status NOT IN ('removed', 'removing')", worktree_id
    )
    if existing is not None and existing.number is None:
        return await _numbered(existing.id)
    return existing


async def _insert(project: ProjectRow, work: Titled, task_id: str | None, branch: str | None) -> WorktreeRow:
    worktree_id = create_id()
    await Worktree.insert(
        Worktree(
            id=worktree_id,
            project_id=project.id,
            task_id=task_id,
            branch=branch or branch_name(project, work),
            base_branch=project.config.default_branch,
            path=str(folder_of(project, work)),
        )
    )
    await WorktreeStep.insert(*(WorktreeStep(id=create_id(), worktree_id=worktree_id, name=name) for name in STEPS))
    await record(project.id, "worktree.created", actor=SYSTEM, subject=task_id, payload={"worktree": worktree_id})
    return await _numbered(worktree_id)


async def _numbered(worktree_id: str) -> WorktreeRow:
    await give_number(worktree_id)
    return await get_worktree(worktree_id)
