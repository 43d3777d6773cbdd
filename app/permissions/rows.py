"""A question as the other domains read it."""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from app.errors import InvalidId, NotFound
from app.ids import is_id
from app.postgres.reading import one, rows

Status = Literal["open", "allowed", "allowed_for_task", "denied", "withdrawn"]


class PermissionRow(Struct, frozen=True, kw_only=True):
    """One row of `permission_requests`."""

    id: str
    project_id: str
    task_id: str | None
    agent_id: str
    run_id: str
    session_id: str
    call_id: str
    audit_id: str | None
    tool: str
    input: dict[str, Any]
    line: str
    rule: str
    why: str
    status: Status
    asked_at: datetime
    waits_since: datetime | None
    answered_at: datetime | None
    answered_by: str | None
    note: str | None
    taken_at: datetime | None
    covered_by: str | None

    @property
    def is_allowed(self) -> bool:
        """Whether the call may run."""
        return self.status in ("allowed", "allowed_for_task")


SELECT_PERMISSION = (
    "SELECT id, project_id, task_id, agent_id, run_id, session_id, call_id, audit_id, tool, input, line, rule, why,"
    " status, asked_at, waits_since, answered_at, answered_by, note, taken_at, covered_by FROM permission_requests"
)
#: A question, or an answer, that its program does not know yet.
UNSETTLED = "taken_at IS NULL AND status <> 'withdrawn'"


async def get_permission(request_id: str) -> PermissionRow:
    """The question, or `INVALID_ID` / `PERMISSION_NOT_FOUND`."""
    if not is_id(request_id):
        raise InvalidId("That is not the id of a question.")
    found = await one(PermissionRow, f"{SELECT_PERMISSION} WHERE id = $1", request_id)
    if found is None:
        raise NotFound("There is no such question.", "PERMISSION_NOT_FOUND")
    return found


async def permissions_by_id(ids: list[str]) -> list[PermissionRow]:
    """These questions."""
    return await rows(PermissionRow, f"{SELECT_PERMISSION} WHERE id = ANY($1)", ids)


async def open_of_run(run_id: str) -> list[PermissionRow]:
    """What is asked for a run, oldest first."""
    return await rows(
        PermissionRow, f"{SELECT_PERMISSION} WHERE run_id = $1 AND status = 'open' ORDER BY asked_at, id", run_id
    )


async def unsettled_of_run(run_id: str) -> list[PermissionRow]:
    """The questions of a run that are open, or answered and not told to the program yet; oldest first."""
    return await rows(
        PermissionRow, f"{SELECT_PERMISSION} WHERE run_id = $1 AND {UNSETTLED} ORDER BY asked_at, id", run_id
    )


async def of_call(audit_id: str) -> PermissionRow | None:
    """What was asked for a call of the audit log."""
    return await one(PermissionRow, f"{SELECT_PERMISSION} WHERE audit_id = $1 ORDER BY asked_at DESC LIMIT 1", audit_id)
