"""The results of checks as pages and approvals read them."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from app.postgres.reading import rows


class CheckRow(Struct, frozen=True, kw_only=True):
    """One row of `checks`."""

    name: str
    status: Literal["running", "passed", "failed", "error"]
    log: str | None
    started_by: str
    started_at: datetime
    completed_at: datetime | None

    @property
    def duration_ms(self) -> int | None:
        """How long it took; None while it runs."""
        return int((self.completed_at - self.started_at).total_seconds() * 1000) if self.completed_at else None


async def results_of(task_id: str, base: str, head: str) -> dict[str, CheckRow]:
    """By name, the newest result of each check that ran on exactly these commits."""
    found = await rows(
        CheckRow,
        "SELECT DISTINCT ON (name) name, status, log, started_by, started_at, completed_at FROM checks"
        " WHERE task_id = $1 AND base_oid = $2 AND head_oid = $3 ORDER BY name, started_at DESC",
        task_id,
        base,
        head,
    )
    return {each.name: each for each in found}
