"""Limits, and what became of them, as the other domains read them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from app.errors import InvalidId, NotFound
from app.ids import is_id
from app.postgres.reading import one, rows

Span = Literal["run", "task", "day"]
Measure = Literal["turns", "minutes", "tokens", "money"]
Action = Literal["warn", "ask", "stop"]
#: `near` and `passed` are warnings; `stopped`: the limit ended the run; `open`: a person is asked, and answered
#: `raised`, `once` or `ended`; or nobody had to, and it is `withdrawn`.
Status = Literal["near", "passed", "stopped", "open", "raised", "once", "ended", "withdrawn"]

SPANS: tuple[Span, ...] = ("run", "task", "day")
MEASURES: tuple[Measure, ...] = ("turns", "minutes", "tokens", "money")


class LimitRow(Struct, frozen=True, kw_only=True):
    """One row of `budget_limits`."""

    agent_id: str | None = None
    task_id: str | None = None
    span: Span
    turns: int | None = None
    minutes: int | None = None
    tokens: int | None = None
    money: Decimal | None = None
    action: Action | None = None

    def value(self, measure: Measure) -> Decimal | None:
        """The limit; None where it says nothing."""
        found = getattr(self, measure)
        return None if found is None else Decimal(found)


class AlertRow(Struct, frozen=True, kw_only=True):
    """One row of `budget_alerts`."""

    id: str
    project_id: str
    task_id: str | None
    agent_id: str
    run_id: str
    session_id: str
    span: Span
    measure: Measure
    most: Decimal
    used: Decimal
    day: date
    line: str
    status: Status
    asked_at: datetime
    answered_at: datetime | None
    answered_by: str | None
    raised_to: Decimal | None
    note: str | None


SELECT_LIMIT = "SELECT agent_id, task_id, span, turns, minutes, tokens, money, action FROM budget_limits"
SELECT_ALERT = (
    "SELECT id, project_id, task_id, agent_id, run_id, session_id, span, measure, most, used, day, line, status,"
    " asked_at, answered_at, answered_by, raised_to, note FROM budget_alerts"
)


async def limits_for(project_id: str, agent_id: str | None, task_id: str | None) -> list[LimitRow]:
    """What a project, one of its agents and one of its tasks say."""
    return await rows(
        LimitRow,
        f"{SELECT_LIMIT} WHERE project_id = $1 AND (agent_id IS NULL OR agent_id = $2)"
        " AND (task_id IS NULL OR task_id = $3)",
        project_id,
        agent_id,
        task_id,
    )


async def get_alert(alert_id: str) -> AlertRow:
    """The alert, or `INVALID_ID` / `BUDGET_NOT_FOUND`."""
    if not is_id(alert_id):
        raise InvalidId("That is not the id of a question about a budget.")
    found = await one(AlertRow, f"{SELECT_ALERT} WHERE id = $1", alert_id)
    if found is None:
        raise NotFound("There is no such question about a budget.", "BUDGET_NOT_FOUND")
    return found


async def open_alert_of(run_id: str) -> AlertRow | None:
    """What is asked about a run's budget."""
    return await one(AlertRow, f"{SELECT_ALERT} WHERE run_id = $1 AND status = 'open'", run_id)


async def ending_alert_of(run_id: str) -> AlertRow | None:
    """The limit that ended a run, or at which a person did."""
    return await one(
        AlertRow,
        f"{SELECT_ALERT} WHERE run_id = $1 AND status IN ('stopped', 'ended') ORDER BY asked_at DESC LIMIT 1",
        run_id,
    )
