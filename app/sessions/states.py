"""The legal moves of a session as data, and the one function that makes one. A session begins `active`."""

from typing import Any, Literal

from msgspec import Struct

from app.clock import now
from app.errors import Conflict
from app.events.recording import Actor, record
from app.sessions.tables import Session

SessionState = Literal["active", "closed"]
SessionEvent = Literal["close", "reopen"]


class Move(Struct, frozen=True):
    """The state in which an event may happen, the one that it leads to, and what the record says of it."""

    source: SessionState
    target: SessionState
    words: str


MOVES: dict[SessionEvent, Move] = {
    "close": Move("active", "closed", "The session was closed"),
    "reopen": Move("closed", "active", "The session was opened again"),
}


async def change(session_id: str, project_id: str, event: SessionEvent, *, actor: Actor) -> None:
    """Compare-and-set whether a session is open, and say so in it. The caller holds the project's lock.

    409 `SESSION_CLOSED` when its state does not allow the event.
    """
    move, moment = MOVES[event], now()
    values: dict[Any, Any] = {
        Session.is_active: move.target == "active",
        Session.closed_at: moment if move.target == "closed" else None,
        Session.updated_at: moment,
    }
    changed = (
        await Session.update(values)
        .where((Session.id == session_id) & Session.is_active.eq(move.source == "active"))
        .returning(Session.id)
    )
    if not changed:
        raise Conflict(f"This session is not {move.source}, so it cannot {event}.", "SESSION_CLOSED", event=event)
    payload = {"text": move.words, "status": move.target}
    await record(project_id, "status", actor=actor, subject=session_id, session_id=session_id, payload=payload)
