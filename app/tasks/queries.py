"""What the page of one task shows, read from every table that knows something of it."""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from app.agents.rows import LIVE, AgentRow, AgentStatus, agents_of, get_agent
from app.events import reading
from app.events.reading import LoggedEvent
from app.postgres.reading import one, rows, scalar
from app.tasks.ports import ports_of
from app.tasks.rows import TaskRow
from app.tasks.stages import Stage, pause_word, stage_of
from app.tasks.telling import feed_item
from app.tasks.views import (
    Action,
    AgentLink,
    EditForm,
    PageNotice,
    RunView,
    StepView,
    TaskPage,
    WorktreePanel,
    pause_action,
)
from app.web.forms import Entered
from app.web.hidden import name_hidden, without_ansi
from app.web.markdown import to_html

#: The steps in their order: what each is called, and what it means when it was skipped.
_STEPS = {
    "add": ("Add worktree", "was there"),
    "env": ("Copy env file", "none set"),
    "deps": ("Install dependencies", "none to install"),
    "init": ("Init script", "none set"),
}


class _Run(Struct, frozen=True, kw_only=True):
    id: str
    number: int
    cause: str
    status: AgentStatus
    agent: str
    runner: str
    model: str | None
    session_id: str | None
    turn_count: int
    max_turns: int | None
    tools: int
    token_input_count: int | None
    token_output_count: int | None
    started_at: datetime
    duration: int | None
    error: str | None
    error_type: str | None
    prompt: str
    result: str | None
    pause_requested: bool


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


async def task_page(
    task: TaskRow,
    edit: Entered | None = None,
    undo_form: Entered | None = None,
    notices: tuple[PageNotice, ...] = (),
) -> TaskPage:
    """The page as it is now; `edit` and `undo_form` are forms that came back, `notices` say why."""
    holder = await get_agent(task.agent_id) if task.agent_id else None
    stage = stage_of(task.column, holder.status if holder else None)
    stored = await _runs(task.id)
    runs = [_run_view(run) for run in stored]
    pausing = bool(stored) and stored[0].pause_requested
    worktree = await _worktree(task, holder) if task.worktree_id else None
    primary, others = _actions(task, stage, holder, pausing)
    return TaskPage(
        id=task.id,
        title=task.title,
        column=task.column,
        position=task.position,
        stage=stage,
        stage_word=await _stage_word(task, stage, runs) or pause_word(stage, pausing),
        labels=task.labels,
        description_html=to_html(task.description or ""),
        created_at=task.created_at,
        rejection_count=task.rejection_count,
        agent=AgentLink(holder.id, holder.name, holder.status) if holder else None,
        runner=holder.config.runner if holder else "",
        session_id=task.session_id,
        branch=task.branch or "",
        base_branch=worktree.base_branch if worktree else "",
        files_changed=task.files_changed,
        lines_added=task.lines_added or 0,
        lines_removed=task.lines_removed or 0,
        approved_by=task.approved_by or "",
        approved_at=task.approved_at,
        primary=primary,
        actions=others,
        can_cancel=task.column in ("in_progress", "waiting_approval"),
        can_undo=task.column == "verified",
        undo_form=undo_form or Entered(),
        merged_into=await _merged_into(task),
        can_delete=task.column in ("backlog", "verified"),
        notices=(*notices, *_notices(task, stage, runs)),
        runs=tuple(runs),
        feed=tuple(item for event in await _events(task) if (item := feed_item(event))),
        worktree=worktree,
        edit=await _edit_form(task, edit),
    )


async def _merged_into(task: TaskRow) -> str:
    """The branch that a verified task was merged into; empty when it was accepted without a merge."""
    found = await scalar(
        "SELECT base_branch FROM merges WHERE task_id = $1 AND kind = 'merge' AND status = 'done' LIMIT 1", task.id
    )
    return str(found or "")


async def _runs(task_id: str) -> list[_Run]:
    return await rows(
        _Run,
        "SELECT r.id, d.number, d.cause, r.status, a.name AS agent, d.runner, d.model, r.session_id,"
        " coalesce(r.turn_count, 0) AS turn_count, d.max_turns, r.token_input_count, r.token_output_count,"
        " (SELECT count(*)::int FROM audit_logs l WHERE l.agent_run_id = r.id) AS tools,"
        " r.started_at, r.duration, r.error, r.error_type, r.prompt, r.result, d.pause_requested"
        " FROM agent_runs r JOIN run_details d ON d.run_id = r.id JOIN agents a ON a.id = r.agent_id"
        " WHERE r.task_id = $1 ORDER BY d.number DESC",
        task_id,
    )


def _run_view(run: _Run) -> RunView:
    return RunView(
        id=run.id,
        number=run.number,
        cause=run.cause,
        status=run.status,
        agent=run.agent,
        runner=run.runner,
        model=run.model or "",
        session_id=run.session_id,
        turns=run.turn_count,
        max_turns=run.max_turns,
        tools=run.tools,
        tokens_in=run.token_input_count,
        tokens_out=run.token_output_count,
        started_at=run.started_at,
        duration_ms=run.duration,
        error=name_hidden(without_ansi(run.error or "")),
        error_type=run.error_type or "",
        prompt=name_hidden(run.prompt),
        result_html=to_html(run.result or ""),
    )


async def _worktree(task: TaskRow, holder: AgentRow | None) -> WorktreePanel | None:
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
    elif worktree.status == "error":
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


async def _stage_word(task: TaskRow, stage: Stage, runs: list[RunView]) -> str:
    if stage == "queued":
        place = await scalar(
            "SELECT count(*) FROM tasks WHERE project_id = $1 AND \"column\" = 'in_progress' AND agent_id IS NULL"
            " AND position <= $2",
            task.project_id,
            task.position,
        )
        return f"Queued, number {place}"
    if stage == "error" and runs and runs[0].error_type:
        return f"Error: {runs[0].error_type.replace('_', ' ')}"
    return ""


def _actions(
    task: TaskRow, stage: Stage, holder: AgentRow | None, pausing: bool
) -> tuple[Action | None, tuple[Action, ...]]:
    here = f"/tasks/{task.id}"
    move = f"{here}/move"
    word = "Open live" if holder is not None and holder.status in LIVE and stage != "review" else "Session"
    live = Action(label=word, path=f"/sessions/{task.session_id}", icon="session", method="get")
    match stage:
        case "idle":
            return Action(
                label="Start", path=move, icon="play", tone="primary", fields=(("column", "in_progress"),)
            ), ()
        case "review":
            return Action(label="Review", path=f"{here}/review", icon="review", method="get", tone="primary"), (live,)
        case "error" if holder is not None and holder.current_task_id == task.id:
            submit = Action(label="Submit what is there", path=move, fields=(("column", "waiting_approval"),))
            retry = Action(label="Retry", path=f"/agents/{holder.id}/retry", icon="retry", tone="primary")
            return retry, (submit, live)
        case "running" | "starting" | "paused" if holder is not None and holder.status in LIVE:
            stop = Action(label="Stop", path=f"/agents/{holder.id}/stop", icon="stop", tone="danger")
            return live, (pause_action(holder.id, stage, pausing), stop)
    return None, (live,) if task.session_id else ()


def _notices(task: TaskRow, stage: Stage, runs: list[RunView]) -> tuple[PageNotice, ...]:
    if stage != "error" or not runs or not runs[0].error_type:
        return ()
    last = runs[0]
    kept = "What it had done is committed on the branch." if task.branch else ""
    see = (
        (Action(label="See the last events", path=f"/sessions/{task.session_id}#end", method="get"),)
        if task.session_id
        else ()
    )
    title = f"Run {last.number} ended: {last.error or last.error_type}"
    return (PageNotice(title=title, text=kept, tone="fail", code=last.error_type, actions=see),)


async def _events(task: TaskRow) -> list[LoggedEvent]:
    return await reading.of_subject(task.project_id, task.id)


async def _edit_form(task: TaskRow, entered: Entered | None) -> EditForm:
    workers = [agent for agent in await agents_of(task.project_id) if agent.type == "task"]
    known: dict[str, Any] = {"open": True} if entered else {}
    return EditForm(
        form=entered or Entered(),
        title=task.title,
        description=task.description or "",
        labels=task.labels,
        agent_id=task.metadata.wanted_agent_id or "",
        agents=tuple((agent.id, agent.name) for agent in workers),
        **known,
    )
