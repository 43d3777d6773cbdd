"""Wait for a database that is away for a moment, where giving up would leave a thing half written."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.postgres.errors import is_away

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
T = TypeVar("T")
log = logging.getLogger(__name__)


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """`work()`, again and again while the database is away. Give it whole transactions only."""
    pause = _FIRST_PAUSE_S
    while True:
        try:
            return await work()
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("the database is away; trying again in %s s", pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_S)
