"""The legal moves of a question as data, and the one function that makes one. A question is asked as `open`."""

from typing import Any, Literal, get_args

from msgspec import Struct

from app.audit import entries
from app.clock import now
from app.errors import Conflict
from app.events.recording import Actor, record
from app.permissions.rows import PermissionRow, Status, get_permission
from app.permissions.tables import PermissionRequest

Decision = Literal["allowed", "allowed_for_task", "denied"]
#: What is recorded of a question; `asked_again`: the same call is made again after a restart.
Happening = Literal["asked", "asked_again", "answered", "withdrawn"]
PermissionEvent = Literal["allow", "allow_for_task", "deny", "withdraw"]


class Move(Struct, frozen=True):
    """The state in which an event may happen, and the one that it leads to."""

    source: Status
    target: Status


MOVES: dict[PermissionEvent, Move] = {
    "allow": Move("open", "allowed"),
    "allow_for_task": Move("open", "allowed_for_task"),
    "deny": Move("open", "denied"),
    "withdraw": Move("open", "withdrawn"),
}
#: The event of each answer that a person can give.
ANSWERS: dict[Decision, PermissionEvent] = {
    "allowed": "allow",
    "allowed_for_task": "allow_for_task",
    "denied": "deny",
}
WORDS: dict[Status, str] = {
    "open": "is asked for",
    "allowed": "allowed once",
    "allowed_for_task": "allowed for this task",
    "denied": "denied",
    "withdrawn": "taken back",
}


async def change(request: PermissionRow, event: PermissionEvent, *, actor: Actor, note: str = "") -> PermissionRow:
    """Compare-and-set a question's status, and record it. The caller holds the project's lock.

    409 `PERMISSION_SETTLED` when it is open no more, with who answered what; nothing is written then.
    """
    move = MOVES[event]
    by = actor.name if move.target in get_args(Decision) else None
    values: dict[Any, Any] = {
        PermissionRequest.status: move.target,
        PermissionRequest.answered_at: now(),
        PermissionRequest.answered_by: by,
        PermissionRequest.note: note or None,
    }
    changed = (
        await PermissionRequest.update(values)
        .where((PermissionRequest.id == request.id) & (PermissionRequest.status == move.source))
        .returning(PermissionRequest.id)
    )
    request = await get_permission(request.id)
    if not changed:
        raise _settled(request)
    await tell(request, "answered" if by else "withdrawn", actor)
    return request


async def tell(request: PermissionRow, what: Happening, actor: Actor) -> None:
    """Record what happened to a question: in its session, for the board and the engine, and in the chain."""
    words = f"{request.tool} {WORDS[request.status]}{f': {request.note}' if request.note else ''}"
    payload = {
        "request": request.id, "call": request.call_id, "tool": request.tool, "rule": request.rule,
        "status": request.status, "note": request.note or "", "text": words,
    }  # fmt: skip
    shown = payload if what == "asked" else {**payload, "quiet": True}
    await record(
        request.project_id, "permission", actor=actor, subject=request.run_id, session_id=request.session_id,
        payload=shown,
    )  # fmt: skip
    about = {"task": request.task_id, "agent": request.agent_id, "status": request.status}
    await record(request.project_id, f"permission.{what}", actor=actor, subject=request.id, payload=about)
    await _write_down(request, what, actor)


async def _write_down(request: PermissionRow, what: Happening, actor: Actor) -> None:
    """In the project's chain. What was given to the call is there already, as a digest with the call itself."""
    told = {
        "task": request.task_id, "run": request.run_id, "call": request.audit_id, "tool": request.tool,
        "input": request.line, "rule": request.rule,
    }  # fmt: skip
    if what in ("asked", "asked_again"):
        await entries.asked(request.project_id, request.id, {**told, "why": request.why}, actor)
        return
    answer = {"decision": request.status, "note": request.note or "", "covered_by": request.covered_by}
    await entries.answered(request.project_id, request.id, {**told, **answer}, actor)


def _settled(request: PermissionRow) -> Conflict:
    if request.status == "withdrawn":
        sentence = f"Nobody waits for this answer any more. {request.note or ''}".strip()
    else:
        sentence = f"{request.answered_by} has answered already: {WORDS[request.status]}."
    details = {"state": request.status, "answered_by": request.answered_by}
    return Conflict(sentence, "PERMISSION_SETTLED", **details)
