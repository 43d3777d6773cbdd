"""What can be done with a message that waits: change it, take it back, or have it told at once."""

from collections.abc import Awaitable
from typing import Any

from app.clock import now
from app.errors import Conflict, NotFound
from app.events.recording import Actor, record
from app.projects.locking import locked
from app.runners.registry import RUNNERS
from app.sessions.messaging import send_queued_in_lock, tell_queue
from app.sessions.opening import LiveRun, live_run
from app.sessions.rows import SessionRow, get_session
from app.sessions.tables import SessionMessage


async def edit(session_id: str, message_id: str, text: str, actor: Actor) -> SessionRow:
    """Change a message that was not delivered yet."""
    changed = SessionMessage.update({SessionMessage.text: text}).where(_waits(session_id, message_id))
    return await _change(changed.returning(SessionMessage.id), session_id, message_id, actor)


async def withdraw(session_id: str, message_id: str, actor: Actor) -> SessionRow:
    """Take back a message that was not delivered yet."""
    gone = SessionMessage.delete().where(_waits(session_id, message_id)).returning(SessionMessage.id)
    return await _change(gone, session_id, message_id, actor)


async def send_now(session_id: str, message_id: str, actor: Actor) -> SessionRow:
    """Have a waiting message told now: the agent's current turn is cut off for it, or a follow-up run begins.

    `AGENT_NOT_RUNNING` while the run rests, and for a program that takes no messages while it works.
    """
    session = await get_session(session_id)
    async with locked(session.project_id):
        run = await live_run(session_id)
        urgent = SessionMessage.update({SessionMessage.urgent_at: now()}).where(_waits(session_id, message_id))
        _require_waiting(await urgent.returning(SessionMessage.id))
        if run is not None:
            _require_listening(run)
        await tell_queue(session, actor, {"queued": message_id, "urgent": True})
        if run is None:
            await send_queued_in_lock(session, actor)
        else:
            await record(session.project_id, "run.message_urgent", actor=actor, subject=run.id)
    return await get_session(session_id)


def _waits(session_id: str, message_id: str) -> Any:
    message = SessionMessage
    return (message.id == message_id) & (message.session_id == session_id) & message.delivered_at.is_null()


async def _change(change: Awaitable[list[Any]], session_id: str, message_id: str, actor: Actor) -> SessionRow:
    session = await get_session(session_id)
    async with locked(session.project_id):
        _require_waiting(await change)
        await tell_queue(session, actor, {"queued": message_id, "changed": True})
    return session


def _require_waiting(changed: list[Any]) -> None:
    if not changed:
        raise NotFound("This message was delivered already, or taken back.", "MESSAGE_NOT_FOUND")


def listens(run: LiveRun) -> bool:
    """Whether a run that is going on can be told something before it has ended."""
    return not run.pause_requested and run.runner in RUNNERS and RUNNERS[run.runner].capabilities.messages


def _require_listening(run: LiveRun) -> None:
    if run.pause_requested:
        raise Conflict("The agent rests. Resume it, and it is told what waits.", "AGENT_NOT_RUNNING")
    if not listens(run):
        raise Conflict(
            "This program takes no messages while it works. Stop it to have the message told at once.",
            "AGENT_NOT_RUNNING",
        )
