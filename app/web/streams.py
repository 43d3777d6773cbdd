"""Serve a live topic to one viewer: it resumes by number, and its own token and clock stand in what it is sent."""

from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any

from litestar import Request
from litestar.response import Stream

from app.events.fanout import Fanout, Topic
from app.events.stream import event_stream, resume_after
from app.web.context import page_context
from app.web.fragments import Cut, cut


def stream_of(request: Request[Any, Any, Any], topic: Topic, after: int) -> Stream:
    """The topic's frames after `Last-Event-ID`, else after `after`, until the viewer or the server goes."""
    fanout: Fanout = request.app.state.fanout
    frames = fanout.follow(topic, resume_after(request, after))
    return event_stream(_for_viewer(frames, page_context(request).csrf_token))


async def _for_viewer(frames: AsyncIterator[bytes], token: str) -> AsyncIterator[bytes]:
    async for frame in frames:
        yield _cut(frame).filled(token) if b"<!--" in frame else frame


@lru_cache(maxsize=64)
def _cut(frame: bytes) -> Cut:
    """Every viewer is sent the same frames, so the first one's work serves the others."""
    return cut(frame.decode())
