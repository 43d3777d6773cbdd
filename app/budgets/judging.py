"""Look whether a run has come near to its limits or reached one. Sums are taken in the database, in the project's lock,
so that of several runs at one limit each sees what all have used."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from msgspec.structs import replace

from app.budgets.holding import limits_in
from app.budgets.limits import Limit
from app.budgets.rows import SELECT_ALERT, AlertRow, Measure, Span
from app.budgets.spent import Spent, spent_in, spent_on
from app.budgets.states import About, change, write_alert
from app.clock import today
from app.events.recording import SYSTEM
from app.postgres.reading import rows

#: The share of a limit from which on a warning is due.
NEAR = Decimal("0.8")
Verdict = Literal["", "ask", "stop"]


async def judge_in_lock(about: About, limits: Sequence[Limit]) -> tuple[Verdict, Limit | None]:
    """What is to be done now, and for which limit; warnings are written by the way, once for each limit."""
    earlier = await _alerts_on(about)
    if any(alert.status == "open" and alert.run_id == about.run_id for alert in earlier):
        return "", None
    spent: dict[Span, Spent] = {}
    reached: list[tuple[Limit, Decimal]] = []
    for limit in limits:
        if limit.span == "task" and about.task_id is None:
            continue
        if limit.span not in spent:
            spent[limit.span] = await _spent(limit.span, about)
        used = spent[limit.span].used(limit.measure)
        if used is None or used < NEAR * limit.most or _is_waived(limit, about, earlier):
            continue  # What a program does not tell cannot be limited: turns and time are.
        now_most = _raised(limit, earlier)
        if used >= now_most.most:
            reached.append((now_most, used))
        elif used >= NEAR * now_most.most:
            await _warn(about, now_most, used, "near", earlier)
    return await _act(about, reached, earlier)


async def used_up_today(project_id: str) -> bool:
    """Whether what begins now would be ended at once, since a limit of the project's day is reached that stops."""
    limits = [each for each in await limits_in(project_id, None, None) if (each.span, each.action) == ("day", "stop")]
    if not limits:
        return False
    spent = await spent_on(project_id, today())
    earlier = await rows(
        AlertRow, f"{SELECT_ALERT} WHERE span = 'day' AND project_id = $1 AND day = $2", project_id, today()
    )
    used = ((spent.used(limit.measure), _raised(limit, earlier).most) for limit in limits)
    return any(sum is not None and sum >= most for sum, most in used)


async def withdraw_open(run_id: str, why: str) -> None:
    """Take back what is asked about a run's budget: it has ended. In the project's lock."""
    for alert in await rows(AlertRow, f"{SELECT_ALERT} WHERE run_id = $1 AND status = 'open'", run_id):
        await change(alert, "withdraw", actor=SYSTEM, note=why)


async def open_alike(alert: AlertRow) -> list[AlertRow]:
    """The open questions of other runs at the same limit of the same task or day."""
    return await rows(
        AlertRow,
        f"{SELECT_ALERT} WHERE status = 'open' AND id <> $1 AND span = $2 AND measure = $3 AND project_id = $4"
        " AND CASE WHEN span = 'task' THEN task_id = $5 ELSE span = 'day' AND day = $6 END ORDER BY asked_at, id",
        alert.id,
        alert.span,
        alert.measure,
        alert.project_id,
        alert.task_id,
        alert.day,
    )


async def _act(
    about: About, reached: Sequence[tuple[Limit, Decimal]], earlier: Sequence[AlertRow]
) -> tuple[Verdict, Limit | None]:
    for limit, used in reached:
        if limit.action == "stop":
            await write_alert(about, limit, used, "stopped")
            return "stop", limit
    for limit, used in reached:
        if limit.action == "warn":
            await _warn(about, limit, used, "passed", earlier)
    for limit, used in reached:
        if limit.action == "ask":
            await write_alert(about, limit, used, "open")
            return "ask", limit
    return "", None


async def _warn(
    about: About, limit: Limit, used: Decimal, status: Literal["near", "passed"], earlier: Sequence[AlertRow]
) -> None:
    """Once for each limit, and again where that was changed."""
    if not any(
        alert.status == status and _is_of(alert, limit.span, limit.measure) and alert.most == limit.most
        for alert in earlier
    ):
        await write_alert(about, limit, used, status)


async def _alerts_on(about: About) -> list[AlertRow]:
    """What there was already of the run, its task, and the day of its project."""
    return await rows(
        AlertRow,
        f"{SELECT_ALERT} WHERE (span = 'run' AND run_id = $1) OR (span = 'task' AND task_id = $2)"
        " OR (span = 'day' AND project_id = $3 AND day = $4) OR (status = 'open' AND run_id = $1)",
        about.run_id,
        about.task_id,
        about.project_id,
        today(),
    )


async def _spent(span: Span, about: About) -> Spent:
    return await spent_in(span, about.run_id, about.task_id, about.project_id, today())


def _is_waived(limit: Limit, about: About, earlier: Sequence[AlertRow]) -> bool:
    """Whether a person let this run go on without that limit."""
    return any(
        alert.status == "once" and alert.run_id == about.run_id and _is_of(alert, limit.span, limit.measure)
        for alert in earlier
    )


def _raised(limit: Limit, earlier: Sequence[AlertRow]) -> Limit:
    """The limit, or the higher one that a person put in its place for this run, task or day."""
    raised = [alert.raised_to for alert in earlier if alert.raised_to and _is_of(alert, limit.span, limit.measure)]
    return replace(limit, most=max([limit.most, *raised]))


def _is_of(alert: AlertRow, span: Span, measure: Measure) -> bool:
    return alert.span == span and alert.measure == measure
