"""Events in lists of what came at about the same time, so that a chatty program costs few transactions."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from app.runners.base import AgentEvent, Finished, Rested

#: What is written at once: events that come within this many seconds, at most so many.
BATCH_S = 0.1
BATCH_MAX = 100


async def batches(events: AsyncIterator[AgentEvent]) -> AsyncIterator[list[AgentEvent]]:
    """The events of one run, in lists."""
    queue: asyncio.Queue[AgentEvent | None] = asyncio.Queue(BATCH_MAX)
    pump = asyncio.create_task(_pump(events, queue))
    try:
        ended = False
        while not ended:
            batch = [await queue.get()]
            if batch[0] is not None and not isinstance(batch[0], Finished | Rested):
                await asyncio.sleep(BATCH_S)
            while not queue.empty():
                batch.append(queue.get_nowait())
            ended = None in batch
            if found := [event for event in batch if event is not None]:
                yield found
        await pump
    finally:
        pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pump


async def _pump(events: AsyncIterator[AgentEvent], queue: "asyncio.Queue[AgentEvent | None]") -> None:
    async for event in events:
        await queue.put(event)
    await queue.put(None)
