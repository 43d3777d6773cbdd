"""Write a tool call down: its row in `audit_logs`, and in the chain an entry for its beginning and one for its end.

The chain has the digests of input, output and error, so that these can be emptied after a while and changed never. A
digest is the SHA-256 of the text that PostgreSQL makes of the document. Every function is called in the project's lock.
"""

from typing import Any

import msgspec
from msgspec import Struct

from app.audit.chain import append_in_lock, moment
from app.clock import now
from app.events.recording import Actor
from app.ids import create_id
from app.postgres.reading import one, scalar


class Call(Struct, frozen=True, kw_only=True):
    """What an agent asks for, fit to be stored. `redacted` counts the secrets that were cut out of it."""

    agent_id: str
    run_id: str
    task_id: str | None
    session_id: str
    tool: str
    input: Any
    turn: int
    redacted: int = 0


class Result(Struct, frozen=True, kw_only=True):
    """How it ended: `is_ok`, or failed, or `refused` before it ran. `duration` in milliseconds."""

    is_ok: bool
    refused: bool
    output: Any
    error: str | None
    duration: int | None
    redacted: int = 0


class _Digests(Struct):
    output: str | None
    error: str | None


def digest(expression: str) -> str:
    """SQL for the digest of a text; NULL of NULL."""
    return f"encode(sha256(convert_to({expression}, 'UTF8')), 'hex')"


_BEGIN = f"""
INSERT INTO audit_logs (id, agent_id, agent_run_id, task_id, project_id, tool, input, turn_number, timestamp)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8, $9) RETURNING {digest("input::text")}
"""  # noqa: S608
_END = f"""
UPDATE audit_logs SET status = $2::text::tool_status, output = $3::text::jsonb, error = $4, duration = $5
WHERE id = $1 RETURNING {digest("output::text")} AS output, {digest("error")} AS error
"""  # noqa: S608


async def begin_call(project_id: str, call: Call, actor: Actor) -> str:
    """Write that an agent asks for a tool; returns the id of the row."""
    audit_id, at = create_id(), now()
    content: dict[str, Any] = {
        "agent": call.agent_id, "run": call.run_id, "task": call.task_id, "session": call.session_id,
        "tool": call.tool, "turn": call.turn, "at": moment(at), **_cut(call.redacted),
    }  # fmt: skip
    content["input"] = await scalar(
        _BEGIN, audit_id, call.agent_id, call.run_id, call.task_id, project_id, call.tool, _json(call.input), call.turn,
        at,
    )  # fmt: skip
    await append_in_lock(project_id, "tool_call", audit_id, content, actor=actor, at=at)
    return audit_id


async def end_call(project_id: str, audit_id: str, result: Result, actor: Actor) -> None:
    """Write what became of it."""
    status = "complete" if result.is_ok else "error"
    output = None if result.output is None else _json(result.output)
    error = result.error or ("The call was refused." if result.refused else None)
    digests = await one(_Digests, _END, audit_id, status, output, error, result.duration)
    assert digests is not None, "a call that was begun has its row"
    content = {
        "status": status, "output": digests.output, "error": digests.error, "duration": result.duration,
        **_cut(result.redacted),
    }  # fmt: skip
    kind = "tool_refused" if result.refused else "tool_result"
    await append_in_lock(project_id, kind, audit_id, content, actor=actor)  # type: ignore[arg-type]


def _cut(redacted: int) -> dict[str, int]:
    return {"redacted": redacted} if redacted else {}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
