"""The record of a session to take away: JSON lines or Markdown, read and sent in pages, never held as a whole."""

import re
from collections.abc import AsyncIterator

import msgspec

from app.events import reading
from app.events.reading import LoggedEvent
from app.sessions.rows import SessionRow


async def json_lines(session: SessionRow) -> AsyncIterator[bytes]:
    """One event a line: number, kind, actor, time and payload."""
    async for event in _whole(session.id):
        line = {
            "number": event.number, "kind": event.kind, "actor": event.actor, "actor_kind": event.actor_kind,
            "at": event.at, "payload": event.payload,
        }  # fmt: skip
        yield msgspec.json.encode(line) + b"\n"


async def markdown(session: SessionRow) -> AsyncIterator[bytes]:
    """The record as a text to read."""
    yield f"# {session.title or 'Session'}\n\n".encode()
    async for event in _whole(session.id):
        if not event.payload.get("quiet") or event.kind == "permission":
            yield f"{_section(event)}\n\n".encode()


async def _whole(session_id: str) -> AsyncIterator[LoggedEvent]:
    after = 0
    while events := await reading.of_session(session_id, after):
        for event in events:
            if not event.payload.get("partial"):
                yield event
        after = events[-1].number


def _section(event: LoggedEvent) -> str:
    payload = event.payload
    head = f"**{event.actor}** · {event.at:%Y-%m-%d %H:%M:%S} UTC · #{event.number}"
    match event.kind:
        case "tool_call":
            return f"{head} · `{payload.get('tool')}`\n\n{_block(payload.get('input'))}"
        case "tool_result":
            return f"{head} · {payload.get('status')}\n\n{_block(payload.get('output') or payload.get('error'))}"
        case "decision":
            return f"{head} · {payload.get('decision')}\n\n{payload.get('text') or payload.get('digest') or ''}"
        case "presence":
            return f"{head} · {payload.get('change')}"
        case _:
            return f"{head}\n\n{payload.get('text', '')}"


def _block(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"
