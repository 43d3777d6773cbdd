"""Set the limits of a project, an agent or a task; what runs now is held to them from its next turn on."""

from collections.abc import Mapping
from decimal import Decimal

from app.budgets.forms import Limits
from app.budgets.rows import MEASURES, SPANS, LimitRow, Measure, Span, limits_for
from app.budgets.spent import Spent, spent_by_live_runs, spent_by_task, spent_on
from app.budgets.tables import BudgetLimit
from app.budgets.words import amount
from app.clock import today
from app.errors import Invalid
from app.events.recording import Actor, record
from app.ids import create_id
from app.postgres.reading import execute
from app.projects.locking import locked

_WHO: dict[Span, str] = {"run": "A run that goes on now", "task": "This task", "day": "This project"}


async def set_limits(
    project_id: str, form: Limits, actor: Actor, *, agent_id: str | None = None, task_id: str | None = None
) -> None:
    """Write what the form says in the place of what was said before.

    `VALIDATION_ERROR` beside each new limit that is used up already, unless the form confirms it.
    """
    async with locked(project_id):
        if not form.confirm and (wrong := await _used_up(project_id, form, agent_id, task_id)):
            raise Invalid(wrong)
        await execute(
            "DELETE FROM budget_limits WHERE project_id = $1 AND agent_id IS NOT DISTINCT FROM $2"
            " AND task_id IS NOT DISTINCT FROM $3",
            project_id,
            agent_id,
            task_id,
        )
        for row in form.rows(agent_id, task_id):
            await _insert(project_id, row)
        subject = task_id or agent_id or project_id
        await record(project_id, "budget.edited", actor=actor, subject=subject, payload={"task": task_id})


async def said_by(project_id: str, agent_id: str | None = None, task_id: str | None = None) -> dict[Span, LimitRow]:
    """What a project, an agent or a task says itself."""
    found = await limits_for(project_id, agent_id, task_id)
    return {row.span: row for row in found if (row.agent_id, row.task_id) == (agent_id, task_id)}


async def _insert(project_id: str, row: LimitRow) -> None:
    values = {name: getattr(row, name) for name in row.__struct_fields__}
    await BudgetLimit.insert(BudgetLimit(id=create_id(), project_id=project_id, **values))


async def _used_up(project_id: str, form: Limits, agent_id: str | None, task_id: str | None) -> Mapping[str, str]:
    before = await said_by(project_id, agent_id, task_id)
    wrong = {}
    for span in SPANS:
        spent = await _most_spent(span, project_id, agent_id, task_id)
        for measure in MEASURES:
            typed = form.limit(span, measure)
            old = before[span].value(measure) if span in before else None
            used = _greatest(spent, measure)
            if typed is not None and typed != old and used >= typed:
                when = " today" if span == "day" else ""
                words = f"{_WHO[span]} has used {amount(measure, used)}{when}, so this limit is reached at once."
                wrong[f"{span}_{measure}"] = f"{words} Tick the box below to set it all the same."
    return wrong


async def _most_spent(span: Span, project_id: str, agent_id: str | None, task_id: str | None) -> list[Spent]:
    if span == "run":
        return await spent_by_live_runs(project_id, agent_id, task_id)
    if span == "day":
        return [await spent_on(project_id, today())]
    return [await spent_by_task(task_id)] if task_id else []


def _greatest(spent: list[Spent], measure: Measure) -> Decimal:
    return max((used for each in spent if (used := each.used(measure)) is not None), default=Decimal(0))
