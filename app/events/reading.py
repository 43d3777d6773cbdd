"""Read the event log by number, in pages."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from app.postgres.reading import rows, scalar

#: Events read at a time; a reader asks again until a page comes back short.
PAGE = 200

_COLUMNS = "number, project_id, session_id, kind, subject, actor_kind, actor, payload, at"


class LoggedEvent(Struct, frozen=True, kw_only=True):
    """One row of the event log."""

    number: int
    project_id: str
    session_id: str | None
    kind: str
    subject: str | None
    actor_kind: str
    actor: str
    payload: dict[str, Any]
    at: datetime


async def of_project(project_id: str, after: int, limit: int = PAGE) -> list[LoggedEvent]:
    """Board events of a project with a number greater than `after`, oldest first."""
    return await rows(
        LoggedEvent,
        f"SELECT {_COLUMNS} FROM events WHERE project_id = $1 AND session_id IS NULL AND number > $2"  # noqa: S608
        " ORDER BY number LIMIT $3",
        project_id,
        after,
        limit,
    )


async def of_session(session_id: str, after: int, limit: int = PAGE) -> list[LoggedEvent]:
    """Events of a session with a number greater than `after`, oldest first."""
    return await rows(
        LoggedEvent,
        f"SELECT {_COLUMNS} FROM events WHERE session_id = $1 AND number > $2 ORDER BY number LIMIT $3",  # noqa: S608
        session_id,
        after,
        limit,
    )


async def of_subject(project_id: str, subject: str, limit: int = PAGE) -> list[LoggedEvent]:
    """The newest events about one thing, oldest first."""
    newest = await rows(
        LoggedEvent,
        f"SELECT {_COLUMNS} FROM events WHERE project_id = $1 AND subject = $2 AND session_id IS NULL"  # noqa: S608
        " ORDER BY number DESC LIMIT $3",
        project_id,
        subject,
        limit,
    )
    return newest[::-1]


async def last_number(project_id: str) -> int:
    """The number of the project's newest event, 0 before the first."""
    return int(await scalar("SELECT coalesce(max(number), 0) FROM events WHERE project_id = $1", project_id))
