"""The record of a session, read in pages: the newest events, or those before or after a number, of some kinds."""

from typing import Literal

from app.events import reading
from app.events.reading import LoggedEvent
from app.postgres.reading import rows, scalar
from app.sessions.showing import FILTERS

#: Events that a page shows at once.
PAGE = 120

#: What a page may be limited to.
Show = Literal["all", "messages", "tools", "errors"]


async def shown(session_id: str, show: Show, before: int | None, after: int | None) -> list[LoggedEvent]:
    """A page of what the record shows, oldest first; without a number the newest."""
    if after is not None:
        return await _after(session_id, after, FILTERS[show])
    return [
        event
        for event in await reading.of_session_before(session_id, before, PAGE, FILTERS[show])
        if not event.payload.get("partial")
    ]


async def _after(session_id: str, after: int, kinds: tuple[str, ...]) -> list[LoggedEvent]:
    return await rows(
        LoggedEvent,
        "SELECT number, project_id, session_id, kind, subject, actor_kind, actor, payload, at FROM events"
        " WHERE session_id = $1 AND number > $2 AND kind = ANY($3)"
        " AND NOT coalesce((payload ->> 'partial')::bool, false) ORDER BY number LIMIT $4",
        session_id,
        after,
        list(kinds),
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
            "SELECT count(*) FROM events WHERE session_id = $1 AND number >= $2 AND ($3::bigint IS NULL OR number < $3)"
            " AND kind = ANY($4) AND NOT coalesce((payload ->> 'quiet')::bool, false)"
            " AND NOT coalesce((payload ->> 'partial')::bool, false)",
            session_id,
            first,
            end,
            list(FILTERS[show]),
        )
    )
