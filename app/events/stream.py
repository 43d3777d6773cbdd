"""Server-sent events: how a frame looks on the wire, where a reader resumes, and the streaming reply."""

from collections.abc import AsyncIterator

from litestar import Request
from litestar.response import Stream

from app.errors import BadRequest
from app.events.fanout import Frame


def frame(number: int, kind: str, html: str) -> Frame:
    """A frame with `id:`, `event:` and the HTML as `data:`."""
    data = "\n".join(f"data: {line}" for line in html.splitlines())
    return Frame(number, f"id: {number}\nevent: {kind}\n{data}\n\n".encode())


def resume_after(request: Request, after: int | None) -> int:
    """The number a reader has seen: `Last-Event-ID` when it comes back, else what its page was rendered with."""
    header = request.headers.get("last-event-id", "").strip()
    if not header:
        return max(after or 0, 0)
    if not header.isdigit():
        raise BadRequest("Last-Event-ID must be the number of an event.")
    return int(header)


def event_stream(frames: AsyncIterator[bytes]) -> Stream:
    """The reply that carries frames until one side goes."""
    return Stream(
        frames,
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )
