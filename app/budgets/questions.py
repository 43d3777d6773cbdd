"""What the page of a question at a limit shows."""

from decimal import ROUND_CEILING, Decimal

from msgspec import Struct

from app.budgets.judging import open_alike
from app.budgets.rows import AlertRow
from app.budgets.spent import spent_in
from app.budgets.views import QuestionPage, plain
from app.budgets.words import SPAN_WORDS, WORDS, amount
from app.postgres.reading import one
from app.web.forms import Entered


class _Place(Struct, frozen=True, kw_only=True):
    agent_name: str
    title: str


async def question_page(alert: AlertRow, form: Entered | None = None) -> QuestionPage:
    """The question, or what became of it."""
    place = await one(
        _Place,
        "SELECT a.name AS agent_name, coalesce(t.title, s.title, 'Session') AS title FROM agents a"
        " LEFT JOIN tasks t ON t.id = $2 LEFT JOIN sessions s ON s.id = $3 WHERE a.id = $1",
        alert.agent_id,
        alert.task_id,
        alert.session_id,
    )
    assert place is not None, "an alert goes with its agent"
    spent = await spent_in(alert.span, alert.run_id, alert.task_id, alert.project_id, alert.day)
    used = spent.used(alert.measure) or alert.used
    return QuestionPage(
        id=alert.id,
        project_id=alert.project_id,
        title=place.title,
        agent_id=alert.agent_id,
        agent_name=place.agent_name,
        run_id=alert.run_id,
        session_id=alert.session_id,
        task_id=alert.task_id or "",
        line=alert.line,
        span_words=SPAN_WORDS[alert.span],
        measure=alert.measure,
        most=amount(alert.measure, alert.most),
        used=amount(alert.measure, alert.used),
        used_now=amount(alert.measure, used),
        suggestion=plain(_suggestion(alert, used)),
        step="0.01" if alert.measure == "money" else "1",
        status=alert.status,
        word=WORDS[alert.status],
        note=alert.note or "",
        answered_by=alert.answered_by or "",
        asked_at=alert.asked_at,
        answered_at=alert.answered_at,
        alike=len(await open_alike(alert)) if alert.status == "open" else 0,
        form=form or Entered(),
    )


def _suggestion(alert: AlertRow, used: Decimal) -> Decimal:
    """Half as much again as is used, or as the limit is."""
    step = Decimal("0.01") if alert.measure == "money" else Decimal(1)
    return (max(used, alert.most) * Decimal("1.5")).quantize(step, ROUND_CEILING)
