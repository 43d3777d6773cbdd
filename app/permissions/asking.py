"""Ask a person for a call: by a question of its own, by one from before a restart, or not, where a task may do it.

What is written here is a whole question; waiting for its answer is in `waiting.py`.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from app.clock import now
from app.events.recording import SYSTEM, Actor
from app.ids import create_id
from app.permissions.rows import SELECT_PERMISSION, UNSETTLED, PermissionRow, get_permission, open_of_run
from app.permissions.showing import call_line
from app.permissions.states import change, tell
from app.permissions.tables import PermissionRequest
from app.postgres.reading import execute, one, rows
from app.projects.locking import locked

#: Why a question is taken back when its agent, after a restart, does something else.
WENT_ON = "The agent went on without this call."


class Asker(Struct, frozen=True, kw_only=True):
    """The run that asks."""

    project_id: str
    task_id: str | None
    agent_id: str
    run_id: str
    session_id: str
    agent_name: str
    #: Whether it does everything once more after a restart: then it may ask other things first.
    begins_anew: bool = False


class Call(Struct, frozen=True, kw_only=True):
    """The call that is asked for."""

    call_id: str
    audit_id: str | None
    tool: str
    #: Without secrets, to be stored.
    input: dict[str, Any]
    #: By which the same call is known again.
    digest: str
    why: str
    #: Every rule that asks for it.
    asking: tuple[str, ...]


def digest_of(tool: str, arguments: dict[str, Any]) -> str:
    """The same for the same tool and input, and for nothing else."""
    return sha256(msgspec.json.encode([tool, arguments], order="sorted")).hexdigest()


async def ask(asker: Asker, call: Call) -> PermissionRow:
    """The question of this call: open, or answered already."""
    async with locked(asker.project_id):
        earlier = await _from_before(asker, call)
        if earlier is not None:
            return await _go_on(earlier, call)
        covered = await _covered(asker, call)
        rule = next((rule for rule in call.asking if rule not in covered), None)
        if rule is None:
            return await _note_covered(asker, call, covered[call.asking[0]])
        if not asker.begins_anew:
            await withdraw_left(asker.run_id, WENT_ON)
        return await _open(asker, call, rule)


async def withdraw_left(run_id: str, why: str) -> None:
    """Take back what was asked before a restart and nobody waits for now. In the project's lock."""
    await _withdraw(
        await rows(
            PermissionRow, f"{SELECT_PERMISSION} WHERE run_id = $1 AND status = 'open' AND waits_since IS NULL", run_id
        ),
        why,
    )


async def withdraw_all(run_id: str, why: str) -> None:
    """Take back whatever is asked for a run: it has ended, or rests. In the project's lock."""
    await _withdraw(await open_of_run(run_id), why)


async def withdraw_call(asker: Asker, call_id: str, why: str) -> None:
    """Take back what is asked for one call: its program waits no more."""
    async with locked(asker.project_id):
        found = await rows(
            PermissionRow,
            f"{SELECT_PERMISSION} WHERE run_id = $1 AND call_id = $2 AND status = 'open'",
            asker.run_id,
            call_id,
        )
        await _withdraw(found, why)


async def leave(run_id: str) -> None:
    """Nobody waits for the answers to what is asked for a run, until it goes on. In the project's lock."""
    await execute(f"UPDATE permission_requests SET waits_since = NULL WHERE run_id = $1 AND {UNSETTLED}", run_id)  # noqa: S608


async def _withdraw(requests: Sequence[PermissionRow], why: str) -> None:
    for request in requests:
        await change(request, "withdraw", actor=SYSTEM, note=why)


async def _from_before(asker: Asker, call: Call) -> PermissionRow | None:
    """The question for the same call from before a restart of the server, whose answer is not used up."""
    return await one(
        PermissionRow,
        f"{SELECT_PERMISSION} WHERE run_id = $1 AND digest = $2 AND {UNSETTLED} AND waits_since IS NULL"
        " ORDER BY asked_at, id LIMIT 1",
        asker.run_id,
        call.digest,
    )


async def _go_on(request: PermissionRow, call: Call) -> PermissionRow:
    moment = now()
    values: dict[Any, Any] = {
        PermissionRequest.call_id: call.call_id,
        PermissionRequest.audit_id: call.audit_id,
        PermissionRequest.waits_since: moment,
    }
    await PermissionRequest.update(values).where(PermissionRequest.id == request.id)
    request = await get_permission(request.id)
    await tell(request, "asked_again", SYSTEM)
    return request


class _Remembered(Struct, frozen=True):
    id: str
    rule: str
    answered_by: str


async def _covered(asker: Asker, call: Call) -> dict[str, _Remembered]:
    """Those of the asking rules that a person allowed for this task, or for this session where it has none."""
    found = await rows(
        _Remembered,
        "SELECT id, rule, answered_by FROM permission_requests WHERE status = 'allowed_for_task' AND rule = ANY($1)"
        " AND CASE WHEN $2::text IS NULL THEN session_id = $3 ELSE task_id = $2 END",
        list(call.asking),
        asker.task_id,
        asker.session_id,
    )
    return {each.rule: each for each in found}


async def _open(asker: Asker, call: Call, rule: str) -> PermissionRow:
    why = call.why if rule == call.asking[0] else f"The rule {rule} asks a person for this call."
    request = await _insert(asker, call, rule=rule, why=why, waits_since=now())
    await tell(request, "asked", Actor("agent", asker.agent_name))
    return request


async def _note_covered(asker: Asker, call: Call, by: _Remembered) -> PermissionRow:
    """Nobody is asked; who allowed it stands with the call all the same."""
    moment = now()
    request = await _insert(
        asker, call, rule=by.rule, why=call.why, status="allowed", asked_at=moment, answered_at=moment,
        answered_by=by.answered_by, taken_at=moment, covered_by=by.id,
        note=f"Not asked again: {by.answered_by} allowed {by.rule} for this task.",
    )  # fmt: skip
    await tell(request, "answered", SYSTEM)
    return request


async def _insert(asker: Asker, call: Call, **columns: Any) -> PermissionRow:
    request_id = create_id()
    await PermissionRequest.insert(
        PermissionRequest(
            id=request_id,
            project_id=asker.project_id,
            task_id=asker.task_id,
            agent_id=asker.agent_id,
            run_id=asker.run_id,
            session_id=asker.session_id,
            call_id=call.call_id,
            audit_id=call.audit_id,
            tool=call.tool,
            input=msgspec.json.encode(call.input).decode(),
            line=call_line(call.tool, call.input),
            digest=call.digest,
            **columns,
        )
    )
    return await get_permission(request_id)
