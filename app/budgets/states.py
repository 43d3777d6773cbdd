"""The legal moves of an alert as data, the function that makes one, and the one that writes a new alert."""

from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from app.audit import entries
from app.budgets.limits import Limit
from app.budgets.rows import AlertRow, Status, get_alert
from app.budgets.tables import BudgetAlert
from app.budgets.words import WORDS, reached, told
from app.clock import now, today
from app.errors import Conflict
from app.events.recording import SYSTEM, Actor, record
from app.ids import create_id

AlertEvent = Literal["raise", "once", "end", "withdraw"]
#: Where each event leads from `open`; nothing else moves, and nothing moves twice.
MOVES: dict[AlertEvent, Status] = {"raise": "raised", "once": "once", "end": "ended", "withdraw": "withdrawn"}
EVENTS: dict[str, AlertEvent] = {target: event for event, target in MOVES.items()}
_HAPPENED = {"near": "warned", "passed": "warned", "stopped": "stopped", "open": "asked", "withdrawn": "withdrawn"}


class About(Struct, frozen=True, kw_only=True):
    """The run that a limit holds for."""

    project_id: str
    task_id: str | None
    agent_id: str
    run_id: str
    session_id: str


async def write_alert(about: About, limit: Limit, used: Decimal, status: Status) -> AlertRow:
    """A new warning, question or ending. The caller holds the project's lock."""
    alert_id = create_id()
    line = reached(limit.span, limit.measure, used, limit.most)
    await BudgetAlert.insert(
        BudgetAlert(
            id=alert_id,
            project_id=about.project_id,
            task_id=about.task_id,
            agent_id=about.agent_id,
            run_id=about.run_id,
            session_id=about.session_id,
            span=limit.span,
            measure=limit.measure,
            most=limit.most,
            used=used,
            day=today(),
            line=line,
            status=status,
        )
    )
    alert = await get_alert(alert_id)
    await _tell(alert, SYSTEM)
    return alert


async def change(
    alert: AlertRow, event: AlertEvent, *, actor: Actor, raised_to: Decimal | None = None, note: str = ""
) -> AlertRow:
    """Compare-and-set of an open question, and record it. The caller holds the project's lock.

    409 `BUDGET_SETTLED` when it is open no more, with who answered what; nothing is written then.
    """
    by = actor.name if event != "withdraw" else None
    values: dict[Any, Any] = {
        BudgetAlert.status: MOVES[event],
        BudgetAlert.answered_at: now(),
        BudgetAlert.answered_by: by,
        BudgetAlert.raised_to: raised_to,
        BudgetAlert.note: note or None,
    }
    changed = (
        await BudgetAlert.update(values)
        .where((BudgetAlert.id == alert.id) & (BudgetAlert.status == "open"))
        .returning(BudgetAlert.id)
    )
    alert = await get_alert(alert.id)
    if not changed:
        raise _settled(alert)
    await _tell(alert, actor)
    return alert


async def mark_passed(run_id: str) -> None:
    """A run ended by itself before its limit could end it: the limit was passed, and that is all. In the lock."""
    await BudgetAlert.update({BudgetAlert.status: "passed"}).where(
        (BudgetAlert.run_id == run_id) & (BudgetAlert.status == "stopped")
    )


async def _tell(alert: AlertRow, actor: Actor) -> None:
    """In its session, for the board and the engine, and in the chain."""
    payload = {"text": told(alert), "status": "warning", "budget": alert.id}
    await record(
        alert.project_id, "status", actor=actor, subject=alert.run_id, session_id=alert.session_id, payload=payload
    )
    what = _HAPPENED.get(alert.status, "answered")
    about = {"task": alert.task_id, "agent": alert.agent_id, "status": alert.status}
    await record(alert.project_id, f"budget.{what}", actor=actor, subject=alert.id, payload=about)
    await _write_down(alert, actor)


async def _write_down(alert: AlertRow, actor: Actor) -> None:
    said = {
        "task": alert.task_id, "run": alert.run_id, "tool": "Budget", "input": alert.line, "span": alert.span,
        "measure": alert.measure, "limit": f"{alert.most:f}", "used": f"{alert.used:f}", "decision": alert.status,
    }  # fmt: skip
    if alert.status in ("near", "passed", "stopped"):
        await entries.warned(alert.project_id, alert.id, said, actor)
    elif alert.status == "open":
        await entries.asked(alert.project_id, alert.id, said, actor)
    else:
        raised = None if alert.raised_to is None else f"{alert.raised_to:f}"
        answer = {**said, "note": alert.note or "", "raised_to": raised}
        await entries.answered(alert.project_id, alert.id, answer, actor)


def _settled(alert: AlertRow) -> Conflict:
    if alert.status in ("raised", "once", "ended"):
        sentence = f"{alert.answered_by} has answered already: {WORDS[alert.status]}."
    else:
        sentence = f"Nobody waits for this answer. {alert.note or ''}".strip()
    return Conflict(sentence, "BUDGET_SETTLED", state=alert.status, answered_by=alert.answered_by)
