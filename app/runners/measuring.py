"""Durations of tool calls whose program does not tell them: from the line that began a call to its last."""

import time
from collections.abc import AsyncIterator

import msgspec

from app.runners.base import AgentEvent, ToolFinished, ToolRunning, ToolStarted

#: A program that tells beginning and end in one breath has not been measured.
_TOGETHER_S = 0.001


async def measured(events: AsyncIterator[AgentEvent]) -> AsyncIterator[AgentEvent]:
    """The same events; a call that ended without a duration gets the one that passed here."""
    began: dict[str, float] = {}
    async for event in events:
        if isinstance(event, ToolStarted | ToolRunning):
            began[event.call_id] = time.monotonic()
        elif isinstance(event, ToolFinished):
            passed = time.monotonic() - began.pop(event.call_id, time.monotonic())
            if event.duration_ms is None and passed > _TOGETHER_S:
                yield msgspec.structs.replace(event, duration_ms=round(passed * 1000))
                continue
        yield event
