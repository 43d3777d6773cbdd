"""A task as the other domains read it."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from app.errors import InvalidId, NotFound
from app.ids import is_id
from app.postgres.reading import one, rows

Column = Literal["backlog", "in_progress", "waiting_approval", "verified"]


class Pending(Struct, frozen=True, rename="camel"):
    """What the next run of a task is for."""

    #: `task`, `rejection`, `conflict`, `message`, `retry`, `undo`; without a task also `background` or `restart`.
    cause: str
    prompt: str
    #: For the template of its prompt, beside what the task says of itself.
    values: dict[str, str] = {}


class TaskMetadata(Struct, frozen=True, rename="camel", kw_only=True):
    """The document `tasks.metadata`."""

    wanted_agent_id: str | None = None
    pending: Pending | None = None
    #: `turn_limit` or `budget`, when the last run stopped there with changes made.
    ended_by: str | None = None
    #: The commit of the base branch that the worktree was made from.
    base_oid: str | None = None
    #: Whether the newest run had none.
    no_sandbox: bool = False
    #: What holds for this task alone, whoever works on it; None and empty: as its agent says.
    max_turns: int | None = None
    timeout_minutes: int | None = None
    model: str = ""
    allowed_tools: tuple[str, ...] | None = None


class TaskRow(Struct, frozen=True, kw_only=True):
    """One row of `tasks`."""

    id: str
    project_id: str
    agent_id: str | None
    session_id: str | None
    title: str
    description: str | None
    column: Column
    position: int
    branch: str | None
    worktree_id: str | None
    diff_summary: str | None
    files_changed: int | None
    lines_added: int | None
    lines_removed: int | None
    approved_at: datetime | None
    approved_by: str | None
    rejection_reason: str | None
    rejection_count: int
    started_at: datetime | None
    completed_at: datetime | None
    turn_count: int
    labels: tuple[str, ...]
    metadata: TaskMetadata
    created_at: datetime
    updated_at: datetime


SELECT_TASK = (
    'SELECT id, project_id, agent_id, session_id, title, description, "column", position, branch, worktree_id,'
    " diff_summary, files_changed, lines_added, lines_removed, approved_at, approved_by, rejection_reason,"
    " coalesce(rejection_count, 0) AS rejection_count, started_at, completed_at,"
    " coalesce(turn_count, 0) AS turn_count, coalesce(labels, '[]') AS labels, coalesce(metadata, '{}') AS metadata,"
    " created_at, updated_at FROM tasks"
)


async def get_task(task_id: str) -> TaskRow:
    """The task, or `INVALID_ID` / `TASK_NOT_FOUND`."""
    if not is_id(task_id):
        raise InvalidId("That is not the id of a task.")
    task = await one(TaskRow, f"{SELECT_TASK} WHERE id = $1", task_id)
    if task is None:
        raise NotFound("There is no such task.", "TASK_NOT_FOUND")
    return task


async def tasks_of(project_id: str, column: Column | None = None) -> list[TaskRow]:
    """The tasks of a project, or of one of its columns, in board order."""
    return await rows(
        TaskRow,
        f'{SELECT_TASK} WHERE project_id = $1 AND ($2::text IS NULL OR "column"::text = $2)'
        ' ORDER BY "column", position, id',
        project_id,
        column,
    )
