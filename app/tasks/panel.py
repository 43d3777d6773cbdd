"""The panel of a task's worktree: where it is, how its steps went, and what helps when one failed."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from app.agents.rows import AgentRow
from app.postgres.reading import one, rows
from app.tasks.ports import ports_of
from app.tasks.rows import TaskRow
from app.tasks.views import Action, StepView, WorktreePanel
from app.web.hidden import without_ansi

#: The steps in their order: what each is called, and what it means when it was skipped.
_STEPS = {
    "add": ("Add worktree", "was there"),
    "env": ("Copy env file", "none set"),
    "deps": ("Install dependencies", "none to install"),
    "init": ("Init script", "none set"),
}


class _Worktree(Struct, frozen=True, kw_only=True):
    id: str
    status: Literal["creating", "active", "merging", "removing", "removed", "error"]
    branch: str
    base_branch: str
    path: str
    last_error: str | None
    number: int | None


class _Step(Struct, frozen=True, kw_only=True):
    name: Literal["add", "env", "deps", "init"]
    status: Literal["pending", "running", "done", "skipped", "error"]
    log: str | None
    started_at: datetime | None
    completed_at: datetime | None


async def worktree_panel(task: TaskRow, holder: AgentRow | None) -> WorktreePanel | None:
    """The worktree of a task that `holder` has; None where there is none."""
    if task.worktree_id is None:
        return None
    found = await one(
        _Worktree,
        "SELECT w.id, w.status, w.branch, w.base_branch, w.path, w.last_error, d.number FROM worktrees w"
        " LEFT JOIN worktree_details d ON d.worktree_id = w.id WHERE w.id = $1",
        task.worktree_id,
    )
    if found is None:
        return None
    steps = await rows(
        _Step,
        "SELECT name, status, log, started_at, completed_at FROM worktree_steps WHERE worktree_id = $1",
        found.id,
    )
    ports = ports_of(found.number) if found.number is not None else None
    return WorktreePanel(
        id=found.id,
        status=found.status,
        branch=found.branch,
        base_branch=found.base_branch,
        path=found.path,
        last_error=found.last_error or "",
        number=found.number,
        ports=(ports[0], ports[-1]) if ports else None,
        steps=tuple(_step(step) for step in sorted(steps, key=lambda step: list(_STEPS).index(step.name))),
        actions=_worktree_actions(found, task, holder),
    )


def _worktree_actions(worktree: _Worktree, task: TaskRow, holder: AgentRow | None) -> tuple[Action, ...]:
    """A step that failed is tried again with its agent; a worktree that is lost is made again from its branch."""
    actions: list[Action] = []
    if worktree.status == "error" and holder is not None and holder.current_task_id == task.id:
        if holder.status == "error":
            actions.append(Action(label="Retry", path=f"/agents/{holder.id}/retry", icon="retry"))
    elif worktree.status == "error" and task.column != "verified":
        actions.append(Action(label="Make it again", path=f"/worktrees/{worktree.id}/restore", icon="retry"))
    if worktree.status in ("active", "error") and task.column in ("backlog", "verified"):
        actions.append(Action(label="Remove…", path=f"/worktrees/{worktree.id}", icon="trash", method="get"))
    return tuple(actions)


def _step(step: _Step) -> StepView:
    name, waits = _STEPS[step.name]
    stages = {"done": "done", "running": "starting", "error": "error"}
    notes = {"pending": "waits", "skipped": waits, "error": "failed"}
    took = (step.completed_at - step.started_at) if step.completed_at and step.started_at else None
    return StepView(
        name=name,
        stage=stages.get(step.status, "idle"),
        note=notes.get(step.status, ""),
        duration=int(took.total_seconds() * 1000) if took is not None and step.status == "done" else None,
        log=without_ansi(step.log or ""),
    )
