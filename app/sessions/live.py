"""The session page, live: each event as the partials that it changes."""

from app.events import reading
from app.events.fanout import Frame, Topic
from app.events.reading import LoggedEvent
from app.events.stream import frame
from app.permissions.parts import request_changed
from app.postgres.reading import scalar
from app.sessions import parts
from app.sessions.facts import facts_of
from app.sessions.heading import head_of
from app.sessions.queries import composer_of, watchers
from app.sessions.rows import SessionRow, get_session
from app.sessions.showing import asked_in, drafts, ended_calls, view
from app.web.replies import Partial
from app.web.replies import frame as as_partials

#: After these the head may say something else: state, turn, tokens.
_HEAD_KINDS = ("permission", "status", "error", "decision", "tool_call", "message")
#: `status` of the events at which a run begins, rests, goes on or ends.
_BOUNDARIES = ("starting", "running", "paused", "pausing", "resuming", "completed", "error", "closed", "active")


def topic(session_id: str) -> Topic:
    """The stream of one session."""

    async def read(after: int) -> list[LoggedEvent]:
        return await reading.of_session(session_id, after)

    async def render_batch(events: list[LoggedEvent]) -> list[Frame]:
        return await _frames(session_id, events)

    async def last_number() -> int:
        return await last_in(session_id)

    return Topic(f"session:{session_id}", read, render_batch, last_number)


async def last_in(session_id: str) -> int:
    """The number of the session's newest event, 0 before the first."""
    return int(await scalar("SELECT coalesce(max(number), 0) FROM events WHERE session_id = $1", session_id))


async def _frames(session_id: str, events: list[LoggedEvent]) -> list[Frame]:
    session = await get_session(session_id)
    facts = await facts_of(session)
    root = facts.root or ""
    changed = [await _parts(session, event, root) for event in events]
    if any(event.kind in _HEAD_KINDS for event in events):
        changed[-1] += parts.head_changed(head_of(session, facts))
    if any(_changes_composer(event) for event in events):
        changed[-1].append(parts.composer_changed(await composer_of(session, facts)))
    return [frame(event.number, event.kind, as_partials(each)) for event, each in zip(events, changed, strict=True)]


def _changes_composer(event: LoggedEvent) -> bool:
    """Messages came into the queue or left it, or a run began or ended: then one may be sent, or no more."""
    told = event.kind == "message" and event.payload.get("role") == "user"
    settled = event.kind == "decision" or event.payload.get("status") in _BOUNDARIES
    return told or settled or bool(event.payload.get("quiet"))


async def _parts(session: SessionRow, event: LoggedEvent, root: str) -> list[Partial]:
    if event.kind == "presence":
        return [parts.watchers_changed(watchers(session))]
    if event.kind == "tool_result":
        return [parts.call_changed(call) for call in await ended_calls(session.id, [event], root)]
    if event.kind == "permission":
        return await _permission(event)
    if event.payload.get("partial"):
        return [parts.draft_changed(draft) for draft in await drafts(session.id, [event])]
    shown = view(event, root)
    return parts.event_appended(shown) if shown else []


async def _permission(event: LoggedEvent) -> list[Partial]:
    """A question is an entry of the record; what becomes of it changes that entry."""
    asked = await asked_in([event])
    if event.payload.get("quiet"):
        return [request_changed(each) for each in asked.values()]
    shown = view(event, "", asked=asked)
    return parts.event_appended(shown) if shown else []
