"""What the page of one task shows, read from every table that knows something of it."""

from typing import Any

from app.agents.asked import Asked, asked_by
from app.agents.rows import AgentRow, agents_of, get_agent
from app.events import reading
from app.events.reading import LoggedEvent
from app.postgres.reading import scalar
from app.tasks.listed_runs import run_view, stored_runs
from app.tasks.offers import actions_of
from app.tasks.panel import worktree_panel
from app.tasks.rows import TaskRow
from app.tasks.stages import Stage, pause_word, stage_of
from app.tasks.telling import feed_item
from app.tasks.views import Action, AgentLink, EditForm, PageNotice, RunView, TaskPage
from app.web.forms import Entered
from app.web.markdown import to_html


async def task_page(
    task: TaskRow,
    edit: Entered | None = None,
    undo_form: Entered | None = None,
    notices: tuple[PageNotice, ...] = (),
) -> TaskPage:
    """The page as it is now; `edit` and `undo_form` are forms that came back, `notices` say why."""
    holder = await get_agent(task.agent_id) if task.agent_id else None
    asked = await asked_by(holder.id) if holder else None
    stage = stage_of(task.column, holder.status if holder else None, asked is not None)
    stored = await stored_runs(task.id)
    runs = [run_view(run) for run in stored]
    pausing = bool(stored) and stored[0].pause_requested
    worktree = await worktree_panel(task, holder)
    primary, others = actions_of(task, stage, holder, pausing, asked.path if asked else "")
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
        notices=(*notices, *_notices(task, stage, runs), *_asked(stage, asked, holder)),
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


def _asked(stage: Stage, asked: Asked | None, holder: AgentRow | None) -> tuple[PageNotice, ...]:
    if stage != "needs_you" or asked is None or holder is None:
        return ()
    answer = Action(label="Answer", path=asked.path, method="get", tone="primary")
    title = f"{holder.name} {asked.what} and waits"
    return (PageNotice(title=title, text=asked.why, tone="need", items=(asked.line,), actions=(answer,)),)


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
        model=task.metadata.model,
        max_turns=task.metadata.max_turns,
        timeout_minutes=task.metadata.timeout_minutes,
        allowed_tools=task.metadata.allowed_tools or (),
        **known,
    )
