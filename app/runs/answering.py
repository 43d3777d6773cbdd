"""Answer a question at a limit: the run goes on, with a higher limit or without that one, or it ends.

The answer, and what the run is to do now, are one transaction; of two people who answer at once, one does.
"""

from decimal import Decimal

from app.budgets.forms import BudgetAnswer
from app.budgets.judging import open_alike
from app.budgets.rows import AlertRow, get_alert
from app.budgets.spent import spent_in
from app.budgets.states import EVENTS, change
from app.budgets.words import amount
from app.errors import Invalid
from app.events.recording import Actor, record
from app.projects.locking import locked
from app.runs.budgeting import request_end
from app.runs.pausing import want
from app.runs.rows import get_run


async def answer(alert_id: str, form: BudgetAnswer, actor: Actor) -> AlertRow:
    """The question with its answer. 409 `BUDGET_SETTLED` when it has one already, or when nobody waits for it.

    A higher limit holds for the rest of the run, the task or the day, and answers what other runs ask at the same one.
    """
    alert = await get_alert(alert_id)
    async with locked(alert.project_id):
        raised_to = await _higher(alert, form) if form.decision == "raised" else None
        answered = await change(alert, EVENTS[form.decision], actor=actor, raised_to=raised_to)
        alike = await open_alike(alert) if raised_to is not None else []
        for other in alike:
            await change(other, "raise", actor=actor, raised_to=raised_to)
        for each in (answered, *alike):
            await _carry_out(each, actor)
        return answered


async def _carry_out(alert: AlertRow, actor: Actor) -> None:
    run = await get_run(alert.run_id)
    if alert.status == "ended":
        await request_end(run, "budget")
    elif await want(run, pause=False):
        await record(run.project_id, "run.resume_requested", actor=actor, subject=run.id, payload={"task": run.task_id})


async def _higher(alert: AlertRow, form: BudgetAnswer) -> Decimal:
    """What was typed, where it leaves anything to use. `VALIDATION_ERROR` beside it otherwise."""
    if form.most is None:
        raise Invalid({"most": "Give the new limit."})
    spent = await spent_in(alert.span, alert.run_id, alert.task_id, alert.project_id, alert.day)
    used = max(alert.used, spent.used(alert.measure) or Decimal(0))
    typed = Decimal(str(form.most))
    if typed <= used:
        raise Invalid({"most": f"{amount(alert.measure, used)} are used already. Give more than that."})
    return typed
