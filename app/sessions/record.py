"""The record of a session, read in pages: the newest events, or those before or after a number, of some kinds."""

from typing import Literal

from app.events.reading import LoggedEvent
from app.postgres.reading import rows, scalar
from app.sessions.showing import FILTERS

#: Events that a page shows at once.
PAGE = 120

#: What a page may be limited to.
Show = Literal["all", "messages", "tools", "errors"]

#: A session's events of some kinds, without pieces of messages and what only changes places around the record.
_SHOWN = (
    "session_id = $1 AND kind = ANY($2) AND NOT coalesce((payload ->> 'partial')::bool, false)"
    " AND NOT coalesce((payload ->> 'quiet')::bool, false)"
)


async def shown(session_id: str, show: Show, before: int | None, after: int | None) -> list[LoggedEvent]:
    """A page of what the record shows, oldest first; without a number the newest."""
    if after is not None:
        return await _page(f"{_SHOWN} AND number > $3 ORDER BY number LIMIT $4", session_id, show, after)
    newest_first = f"{_SHOWN} AND ($3::bigint IS NULL OR number < $3) ORDER BY number DESC LIMIT $4"
    return (await _page(newest_first, session_id, show, before))[::-1]


async def _page(where: str, session_id: str, show: Show, number: int | None) -> list[LoggedEvent]:
    return await rows(
        LoggedEvent,
        f"SELECT number, project_id, session_id, kind, subject, actor_kind, actor, payload, at FROM events"  # noqa: S608
        f" WHERE {where}",
        session_id,
        list(FILTERS[show]),
        number,
        PAGE,
    )


async def open_pieces(session_id: str) -> list[LoggedEvent]:
    """The stored pieces of messages that are still being written, newest first."""
    return await rows(
        LoggedEvent,
        "SELECT number, project_id, session_id, kind, subject, actor_kind, actor, payload, at FROM events"
        " WHERE session_id = $1 AND kind = 'message' AND (payload ->> 'partial')::boolean"
        " ORDER BY number DESC LIMIT 20",
        session_id,
    )


async def count(session_id: str, show: Show, first: int, end: int | None) -> int:
    """How many events the record shows from `first` up to, but not with, `end`."""
    return int(
        await scalar(
            f"SELECT count(*) FROM events WHERE {_SHOWN} AND number >= $3"  # noqa: S608
            " AND ($4::bigint IS NULL OR number < $4)",
            session_id,
            list(FILTERS[show]),
            first,
            end,
        )
    )
