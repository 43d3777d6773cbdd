"""Record what happened, in the transaction in which it happened; readers hear of its number when that commits.

Numbers come from one sequence, and a reader resumes from the last number it saw. That is only true without gaps if
numbers become visible in their order, so everything recorded for a project is recorded under that project's lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

import msgspec
from msgspec import Struct

from app.postgres.reading import scalar

#: The channel of NOTIFY; the payload is a `Notification` as JSON.
CHANNEL = "agentpane_events"

_open_feed: ContextVar[str | None] = ContextVar("open_feed", default=None)


class Actor(Struct, frozen=True):
    """Who did it."""

    kind: Literal["person", "agent", "system"]
    name: str


SYSTEM = Actor("system", "AgentPane")


class Notification(Struct, frozen=True, array_like=True):
    """What NOTIFY carries: enough to know whom to wake, never the content."""

    number: int
    project_id: str
    session_id: str | None
    kind: str
    subject: str | None


@contextmanager
def feed(project_id: str) -> Iterator[None]:
    """Allow `record` for this project. Only the holder of the project's lock may open it."""
    token = _open_feed.set(project_id)
    try:
        yield
    finally:
        _open_feed.reset(token)


def require_lock(project_id: str, what: str) -> None:
    """Raises RuntimeError unless the project's lock is held."""
    if _open_feed.get() != project_id:
        raise RuntimeError(f"{what} was recorded without holding the lock of project {project_id}")


async def record(
    project_id: str,
    kind: str,
    *,
    actor: Actor,
    subject: str | None = None,
    session_id: str | None = None,
    payload: dict[str, Any] | None = None,
) -> int:
    """Append one event and notify its readers on commit; returns its number."""
    require_lock(project_id, kind)
    number = await scalar(
        "WITH recorded AS (INSERT INTO events (project_id, session_id, kind, subject, actor_kind, actor, payload)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING number, project_id, session_id, kind, subject)"
        " SELECT number, pg_notify($8, json_build_array(number, project_id, session_id, kind, subject)::text)"
        " FROM recorded",
        project_id,
        session_id,
        kind,
        subject,
        actor.kind,
        actor.name,
        msgspec.json.encode(payload or {}).decode(),
        CHANNEL,
    )
    return int(number)
