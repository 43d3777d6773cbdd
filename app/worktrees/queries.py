"""What the list of worktrees shows: those on disk with their steps, and the newest that were removed."""

from datetime import datetime

from msgspec import Struct

from app.git.refs import resolve
from app.postgres.reading import rows
from app.projects.rows import ProjectRow
from app.tasks.ports import ports_of
from app.worktrees.comparing import commits_against_base
from app.worktrees.offers import mending
from app.worktrees.rows import STEPS, StepName, StepStatus, WorktreeStatus
from app.worktrees.surveying import Problem, sentence, survey
from app.worktrees.using import NEEDED_BY, SESSION
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
    session_id: str | None
    last_error: str | None
    is_used: bool
    #: An agent that stopped on the task, and goes on with it when it is told to.
    retries: str | None
    is_live: bool
    #: Its task is verified: nobody will work in it again.
    is_done: bool
    number: int | None
    size: int | None
    is_larger: bool | None
    measured_at: datetime | None
    created_at: datetime
    removed_at: datetime | None


class _Step(Struct, frozen=True, kw_only=True):
    worktree_id: str
    name: StepName
    status: StepStatus
    log: str
    duration: int | None


_SELECT = f"""
SELECT w.id, w.branch, w.base_branch, w.path, w.status, t.id AS task_id, t.title AS task_title, w.last_error,
  w.created_at, w.removed_at, d.number, d.size, d.is_larger, d.measured_at,
  {NEEDED_BY} IS NOT NULL AS is_used, {SESSION} AS session_id,
  (SELECT a.id FROM agents a WHERE a.current_worktree_id = w.id AND a.status = 'error' LIMIT 1) AS retries,
  EXISTS (SELECT 1 FROM agents a WHERE a.current_worktree_id = w.id
    AND a.status IN ('starting', 'running', 'paused')) AS is_live,
  coalesce(t."column" = 'verified', false) AS is_done
FROM worktrees w LEFT JOIN tasks t ON t.id = w.task_id LEFT JOIN worktree_details d ON d.worktree_id = w.id
"""  # noqa: S608


async def worktrees_page(project: ProjectRow, cleared: str = "") -> WorktreeList:
    """The worktrees of a project, newest first, compared with what git lists now."""
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
    found = await survey(project)
    counts = await commits_against_base(project, [(row.branch, row.base_branch) for row in on_disk])
    steps = await _steps(on_disk)
    return WorktreeList(
        project_id=project.id,
        worktree_root=project.config.worktree_root,
        worktrees=tuple(
            _view(row, steps.get(row.id, ()), found.lost.get(row.id), count)
            for row, count in zip(on_disk, counts, strict=True)
        ),
        removed=tuple(_view(row) for row in removed),
        strays=found.strays,
        error=found.error,
        size=sum(row.size or 0 for row in on_disk),
        cleared=cleared if not found.error and await resolve(project.root, f"refs/heads/{cleared}") else "",
    )


async def _steps(on_disk: list[_Row]) -> dict[str, tuple[WorktreeStep, ...]]:
    found = await rows(
        _Step,
        "SELECT worktree_id, name, status, right(coalesce(log, ''), $2) AS log,"
        " CASE WHEN completed_at >= started_at THEN (extract(epoch FROM completed_at - started_at) * 1000)::int END"
        " AS duration"
        " FROM worktree_steps WHERE worktree_id = ANY($1)",
        [row.id for row in on_disk],
        LOG,
    )
    idle = {row.id for row in on_disk if row.status == "active" and not row.is_live}
    by_worktree: dict[str, list[_Step]] = {}
    for step in sorted(found, key=lambda step: STEPS.index(step.name)):
        by_worktree.setdefault(step.worktree_id, []).append(step)
    return {id: tuple(_step(step, id in idle) for step in steps) for id, steps in by_worktree.items()}


def _step(step: _Step, is_idle: bool) -> WorktreeStep:
    skipped = step.status == "skipped"
    notes: dict[StepStatus, str] = {"skipped": "not needed", "pending": "with the next run" if is_idle else "waits"}
    repeatable = is_idle and step.name != "add" and step.status in ("done", "skipped")
    return WorktreeStep(
        name=STEP_NAMES[step.name],
        stage=_STAGES[step.status],
        note=notes.get(step.status, ""),
        duration=None if skipped else step.duration,
        log=step.log,
        again=f"/worktrees/{step.worktree_id}/steps/{step.name}/again" if repeatable else "",
    )


def _view(
    row: _Row,
    steps: tuple[WorktreeStep, ...] = (),
    problem: Problem | None = None,
    count: tuple[int, int] | None = None,
) -> WorktreeRow:
    ports = ports_of(row.number) if row.number is not None else None
    return WorktreeRow(
        id=row.id,
        branch=row.branch,
        base_branch=row.base_branch,
        path=row.path,
        status=row.status,
        task_id=row.task_id or "",
        task_title=row.task_title or "",
        session_id=row.session_id or "",
        last_error=row.last_error or "",
        problem=sentence(problem, row.path) if problem else "",
        number=row.number,
        ports=(ports[0], ports[-1]) if ports else None,
        ahead=count[0] if count else None,
        behind=count[1] if count else None,
        size=row.size,
        is_larger=bool(row.is_larger),
        measured_at=row.measured_at,
        actions=() if row.is_done else mending(row.id, row.status, problem, row.retries, is_live=row.is_live),
        steps=steps,
        removable=row.status in ("active", "error") and not row.is_used,
        created_at=row.created_at,
        removed_at=row.removed_at,
    )
