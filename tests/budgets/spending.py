"""Runs that use something, without a program."""

from decimal import Decimal
from typing import Any

from app.budgets.forms import ProjectBudgets
from app.budgets.rows import SELECT_ALERT, AlertRow
from app.budgets.setting import set_limits
from app.postgres.reading import rows
from app.runners.base import Message, Usage
from app.runs.claiming import Claim
from app.runs.rows import RunRow, get_run
from tests.work import MARA, begin, launch, say


async def at_work(project_id: str, title: str = "Normalise extras") -> Claim:
    """A run whose program is up."""
    claim = await begin(project_id, title)
    await launch(claim)
    return claim


async def limit(project_id: str, **fields: Any) -> None:
    """The project's budgets."""
    await set_limits(project_id, ProjectBudgets(confirm=True, **fields), MARA)


async def use(claim: Claim, tokens: int = 0, turns: int = 0, money: float | None = None) -> RunRow:
    """The program tells its sums."""
    events: list[Any] = [Message(message_id=f"m{turns}", text="…", turn=turns)] if turns else []
    if tokens or money is not None:
        events.append(Usage(input_tokens=tokens - tokens // 10, output_tokens=tokens // 10, cost_usd=money))
    await say(claim, *events)
    return await get_run(claim.run_id)


async def alerts(project_id: str) -> list[AlertRow]:
    """All of them, oldest first."""
    return await rows(AlertRow, f"{SELECT_ALERT} WHERE project_id = $1 ORDER BY asked_at, id", project_id)


def told(found: list[AlertRow]) -> list[tuple[str, str, str]]:
    return [(each.span, each.measure, each.status) for each in found]


def usd(text: str) -> Decimal:
    return Decimal(text)
