"""What the pages of limits show: of a project, an agent, a task, and of a run on its session's page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from app.agents.rows import AgentRow
from app.budgets.gauges import gauges_of
from app.budgets.holding import limits_in, limits_of_run
from app.budgets.limits import Limit
from app.budgets.rows import LimitRow, Measure, Span, Status
from app.budgets.setting import said_by
from app.budgets.spent import Spent, spent_by_run, spent_by_task, spent_on
from app.budgets.views import (
    AlertView,
    BudgetPage,
    FieldView,
    Gauge,
    SpanView,
    plain,
)
from app.budgets.words import WORDS, amount
from app.clock import today
from app.postgres.reading import rows
from app.projects.rows import ProjectRow
from app.tasks.rows import TaskRow
from app.web.forms import Entered

#: Warnings, questions and endings that a page lists.
LISTED = 20
ACTIONS = (("stop", "stop the run"), ("ask", "pause and ask a person"), ("warn", "only warn"))
LABELS: dict[Measure, str] = {
    "turns": "Turns", "minutes": "Minutes of work", "tokens": "Tokens, in and out", "money": "Money, in USD",
}  # fmt: skip


async def project_budgets(project: ProjectRow, form: Entered | None = None, *, saved: bool = False) -> BudgetPage:
    """The budgets of a project, with what was used today."""
    said = await said_by(project.id)
    limits = await limits_in(project.id, None, None)
    spent = await spent_on(project.id, today())
    settings = "Turns and minutes of a run stand in the settings, and where agents and tasks say otherwise."
    day = f"The day is the server's: {today():%A, %d %B %Y}."
    return BudgetPage(
        title="Budgets",
        action=f"/projects/{project.id}/budgets",
        crumbs=(("", "Budgets"),),
        spans=(
            _span("run", "Each run", f"{settings} What happens there is chosen here too.", said, ("tokens", "money")),
            _span("task", "Each task", "All runs of one task together.", said),
            _span(
                "day", "Each day", f"All runs of this project together. {day}", said,
                gauges=gauges_of("day", spent, limits), notes=_unknown(spent, "today"),
            ),
        ),
        alerts=await _alerts(project.id),
        saved=saved,
        **_came_back(form),
    )  # fmt: skip


async def agent_budget(
    project: ProjectRow, agent: AgentRow, form: Entered | None = None, *, saved: bool = False
) -> BudgetPage:
    """What each run of an agent may use."""
    said = await said_by(project.id, agent_id=agent.id)
    elsewhere = "Turns and minutes stand on the agent's page."
    return BudgetPage(
        title="Budget",
        action=f"/agents/{agent.id}/budget",
        crumbs=((f"/agents/{agent.id}", agent.name), ("", "Budget")),
        spans=(
            _span(
                "run", "Each run", elsewhere, said, ("tokens", "money"),
                others=await limits_in(project.id, None, None), inherits="as the project says",
            ),
        ),
        notes=_telling(agent),
        alerts=await _alerts(project.id, agent_id=agent.id),
        saved=saved,
        **_came_back(form),
    )  # fmt: skip


async def task_budget(
    project: ProjectRow, task: TaskRow, agent: AgentRow | None, form: Entered | None = None, *, saved: bool = False
) -> BudgetPage:
    """What a task and each of its runs may use, and what it has used. `agent` is the one that has it."""
    said = await said_by(project.id, task_id=task.id)
    agent_id = agent.id if agent else None
    others, now = await limits_in(project.id, agent_id, None), await limits_in(project.id, agent_id, task.id)
    spent = await spent_by_task(task.id)
    both = "as agent and project say"
    return BudgetPage(
        title="Budget",
        action=f"/tasks/{task.id}/budget",
        crumbs=((f"/tasks/{task.id}", task.title), ("", "Budget")),
        spans=(
            _span(
                "task", "The whole task", "All its runs together, also those that a rejection begins.", said,
                others=others, inherits=both, gauges=gauges_of("task", spent, now), notes=_unknown(spent, "of it"),
            ),
            _span(
                "run", "Each run of it", "Turns and minutes stand on the task's page.", said, ("tokens", "money"),
                others=others, inherits=both,
            ),
        ),
        notes=_telling(agent) if agent else (),
        alerts=await _alerts(project.id, task_id=task.id),
        saved=saved,
        **_came_back(form),
    )  # fmt: skip


async def run_gauges(project_id: str, agent_id: str, task_id: str | None, run_id: str) -> tuple[Gauge, ...]:
    """Tokens, money and time of a run against its limits."""
    limits = await limits_of_run(run_id, project_id, agent_id, task_id)
    return tuple(gauges_of("run", await spent_by_run(run_id), limits, ("tokens", "money", "minutes")))


def _span(
    span: Span,
    title: str,
    about: str,
    said: dict[Span, LimitRow],
    measures: Sequence[Measure] = ("turns", "minutes", "tokens", "money"),
    *,
    others: Sequence[Limit] = (),
    inherits: str = "",
    gauges: Sequence[Gauge] = (),
    notes: tuple[str, ...] = (),
) -> SpanView:
    row = said.get(span)
    other = {limit.measure: amount(limit.measure, limit.most) for limit in others if limit.span == span}
    fields = [
        FieldView(
            name=f"{span}_{measure}",
            label=LABELS[measure],
            value=plain(row.value(measure)) if row else "",
            other=other.get(measure, ""),
        )
        for measure in measures
    ]
    return SpanView(
        span=span,
        title=title,
        about=about,
        fields=tuple(fields),
        action=(row.action if row else None) or ("" if inherits else "stop"),
        actions=((("", inherits),) if inherits else ()) + ACTIONS,
        gauges=tuple(gauges),
        notes=notes,
    )


def _came_back(form: Entered | None) -> dict[str, Any]:
    errors = form.errors.values() if form else ()
    return {"form": form or Entered(), "must_confirm": any("Tick the box" in error for error in errors)}


def _unknown(spent: Spent, where: str) -> tuple[str, ...]:
    notes = []
    if spent.silent:
        notes.append(
            f"{spent.silent} of {spent.runs} runs {where} did not tell their tokens: for these turns and time count."
        )
    if spent.unpriced:
        notes.append(f"Of {spent.unpriced} of {spent.runs} runs {where} the cost is not known, or not all of it.")
    return tuple(notes)


def _telling(agent: AgentRow) -> tuple[str, ...]:
    """What the program of an agent does not tell, so that limits over it do nothing."""
    if agent.config.runner == "command":
        return (
            "A command tells its turns, tokens and cost only where AgentPane knows its output; tokens without a cost"
            " take a price for their model. For any other program the time counts alone.",
        )
    if agent.config.runner == "acp":
        return (
            "Not every program that speaks ACP tells its tokens or its cost, and they come at the end of an answer."
            " Where they are unknown, turns and time count.",
        )
    return ()


class _Alert(Struct, frozen=True, kw_only=True):
    id: str
    line: str
    status: Status
    answered_by: str | None
    title: str
    run_id: str
    asked_at: datetime


async def _alerts(project_id: str, agent_id: str | None = None, task_id: str | None = None) -> tuple[AlertView, ...]:
    found = await rows(
        _Alert,
        "SELECT b.id, b.line, b.status, b.answered_by, coalesce(t.title, s.title, 'Session') AS title, b.run_id,"
        " b.asked_at FROM budget_alerts b LEFT JOIN tasks t ON t.id = b.task_id"
        " LEFT JOIN sessions s ON s.id = b.session_id WHERE b.project_id = $1"
        " AND ($2::text IS NULL OR b.agent_id = $2) AND ($3::text IS NULL OR b.task_id = $3)"
        " ORDER BY b.status = 'open' DESC, b.asked_at DESC, b.id LIMIT $4",
        project_id,
        agent_id,
        task_id,
        LISTED,
    )
    return tuple(
        AlertView(
            id=each.id,
            line=each.line,
            word=WORDS[each.status],
            by=each.answered_by or "",
            is_open=each.status == "open",
            title=each.title,
            run_id=each.run_id,
            at=each.asked_at,
        )
        for each in found
    )
