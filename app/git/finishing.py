"""Work that goes to its end once begun, whoever cancels."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` to its end even when the caller is cancelled; the cancellation goes on afterwards."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled() and task.exception():
            raise asyncio.CancelledError from task.exception()
        raise


async def in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread and do not return before it is done, not even when the event loop ends."""
    future = asyncio.get_running_loop().run_in_executor(None, work)
    interrupted: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError as cancelled:
            interrupted = cancelled
    if interrupted is not None:
        raise interrupted from future.exception()
    return future.result()
