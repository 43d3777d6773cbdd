"""A session as the other domains read it."""

from datetime import datetime

from msgspec import Struct

from app.errors import InvalidId, NotFound
from app.ids import is_id
from app.postgres.reading import one, rows


class Presence(Struct, frozen=True, rename="camel", kw_only=True):
    """One person looking at a session. Times are milliseconds since 1970."""

    user_id: str
    joined_at: int
    last_seen: int
    #: Beyond the schema document: what to call them.
    name: str = ""


class SessionRow(Struct, frozen=True, kw_only=True):
    """One row of `sessions`."""

    id: str
    project_id: str
    task_id: str | None
    agent_id: str | None
    title: str | None
    is_active: bool
    active_users: tuple[Presence, ...]
    message_count: int
    tool_call_count: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None


class QueuedMessage(Struct, frozen=True, kw_only=True):
    """A person's message that the agent has not been given yet."""

    id: str
    author: str
    text: str
    created_at: datetime
    #: Somebody wants it told at once.
    is_urgent: bool


SELECT_SESSION = (
    "SELECT id, project_id, task_id, agent_id, title, is_active, coalesce(active_users, '[]') AS active_users,"
    " message_count, tool_call_count, created_at, updated_at, closed_at FROM sessions"
)


async def get_session(session_id: str) -> SessionRow:
    """The session, or `INVALID_ID` / `SESSION_NOT_FOUND`."""
    if not is_id(session_id):
        raise InvalidId("That is not the id of a session.")
    session = await one(SessionRow, f"{SELECT_SESSION} WHERE id = $1", session_id)
    if session is None:
        raise NotFound("There is no such session.", "SESSION_NOT_FOUND")
    return session


async def queued_messages(session_id: str) -> list[QueuedMessage]:
    """Messages waiting for the agent's next turn: urgent ones first, then the oldest."""
    return await rows(
        QueuedMessage,
        "SELECT id, author, text, created_at, urgent_at IS NOT NULL AS is_urgent FROM session_messages"
        " WHERE session_id = $1 AND delivered_at IS NULL ORDER BY urgent_at, created_at, id",
        session_id,
    )
