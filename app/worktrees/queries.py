"""What the list of worktrees shows: those on disk with their steps, and the newest that were removed."""

from datetime import datetime

from msgspec import Struct

from app.postgres.reading import rows
from app.projects.rows import ProjectRow
from app.worktrees.rows import STEPS, StepName, StepStatus, WorktreeStatus
from app.worktrees.views import WorktreeList, WorktreeRow, WorktreeStep

#: Removed worktrees that the page lists, and characters of a step's log, from its end.
REMOVED = 50
LOG = 20_000

STEP_NAMES: dict[StepName, str] = {
    "add": "Add the worktree",
    "env": "Copy env files",
    "deps": "Install dependencies",
    "init": "Run the init script",
}
_STAGES: dict[StepStatus, str] = {
    "pending": "idle",
    "running": "starting",
    "done": "done",
    "skipped": "idle",
    "error": "error",
}


class _Row(Struct, frozen=True, kw_only=True):
    id: str
    branch: str
    base_branch: str
    path: str
    status: WorktreeStatus
    task_id: str | None
    task_title: str | None
    last_error: str | None
    is_used: bool
    created_at: datetime
    removed_at: datetime | None


class _Step(Struct, frozen=True, kw_only=True):
    worktree_id: str
    name: StepName
    status: StepStatus
    log: str
    duration: int | None


_SELECT = """
SELECT w.id, w.branch, w.base_branch, w.path, w.status, t.id AS task_id, t.title AS task_title, w.last_error,
  w.created_at, w.removed_at,
  EXISTS (SELECT 1 FROM tasks u WHERE u.worktree_id = w.id AND u."column" IN ('in_progress', 'waiting_approval'))
    AS is_used
FROM worktrees w LEFT JOIN tasks t ON t.id = w.task_id
"""


async def worktrees_page(project: ProjectRow) -> WorktreeList:
    """The worktrees of a project, newest first."""
    on_disk = await rows(
        _Row,
        f"{_SELECT} WHERE w.project_id = $1 AND w.status <> 'removed' ORDER BY w.created_at DESC, w.id",
        project.id,
    )
    removed = await rows(
        _Row,
        f"{_SELECT} WHERE w.project_id = $1 AND w.status = 'removed' ORDER BY w.removed_at DESC, w.id LIMIT {REMOVED}",
        project.id,
    )
    steps = await _steps([row.id for row in on_disk])
    return WorktreeList(
        project_id=project.id,
        worktree_root=project.config.worktree_root,
        worktrees=tuple(_view(row, steps.get(row.id, ())) for row in on_disk),
        removed=tuple(_view(row) for row in removed),
    )


async def _steps(worktree_ids: list[str]) -> dict[str, tuple[WorktreeStep, ...]]:
    found = await rows(
        _Step,
        "SELECT worktree_id, name, status, right(coalesce(log, ''), $2) AS log,"
        " greatest(0, extract(epoch FROM completed_at - started_at) * 1000)::int AS duration"
        " FROM worktree_steps WHERE worktree_id = ANY($1)",
        worktree_ids,
        LOG,
    )
    by_worktree: dict[str, list[_Step]] = {}
    for step in sorted(found, key=lambda step: STEPS.index(step.name)):
        by_worktree.setdefault(step.worktree_id, []).append(step)
    return {id: tuple(_step(step) for step in steps) for id, steps in by_worktree.items()}


def _step(step: _Step) -> WorktreeStep:
    skipped = step.status == "skipped"
    return WorktreeStep(
        name=STEP_NAMES[step.name],
        stage=_STAGES[step.status],
        note="not needed" if skipped else "",
        duration=None if skipped else step.duration,
        log=step.log,
    )


def _view(row: _Row, steps: tuple[WorktreeStep, ...] = ()) -> WorktreeRow:
    return WorktreeRow(
        id=row.id,
        branch=row.branch,
        base_branch=row.base_branch,
        path=row.path,
        status=row.status,
        task_id=row.task_id or "",
        task_title=row.task_title or "",
        last_error=row.last_error or "",
        steps=steps,
        removable=row.status in ("active", "error") and not row.is_used,
        created_at=row.created_at,
        removed_at=row.removed_at,
    )
