"""One server to a database: two would each take the other's live runs for dead ones."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

from app.postgres.connection import connect
from app.postgres.errors import ERRORS, PostgresError

#: The number of the advisory lock; any that nothing else in this database uses.
_LOCK = 7_245_118
#: Seconds to wait for the connection of a server that was killed a moment ago to be noticed.
_PATIENCE_S = 5.0
_AGAIN_S = 0.25

log = logging.getLogger(__name__)


class Taken(PostgresError):
    """Another server is there."""


def _end_this_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@asynccontextmanager
async def sole_server(url: str, on_loss: Callable[[], None] = _end_this_process) -> AsyncIterator[None]:
    """Be the only server of the database at `url`. Raises `PostgresError` when another one is.

    The lock goes with a database that restarts: it is taken again as soon as that answers. Where another server was
    quicker, `on_loss` is called, once.
    """
    lock = _Lock(url)
    await lock.take()
    keeper = asyncio.create_task(lock.keep(on_loss), name="sole server")
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.wait([keeper])
        lock.release()


class _Lock:
    """The lock and the connection that holds it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._held: asyncpg.Connection | None = None
        self._lost = asyncio.Event()

    async def take(self) -> None:
        self.release()
        lost = self._lost = asyncio.Event()
        held = self._held = await connect(self._url)
        held.add_termination_listener(lambda _: lost.set())
        if not await _take(held):
            raise Taken("Another AgentPane serves from this database already. Open that one, or stop it first.")

    async def keep(self, on_loss: Callable[[], None]) -> None:
        while True:
            await self._lost.wait()
            try:
                await self.take()
            except Taken:
                log.critical("While the database was away, another AgentPane took it over: this one ends.")
                return on_loss()
            except (*ERRORS, PostgresError):
                self._lost.set()
                await asyncio.sleep(_AGAIN_S)

    def release(self) -> None:
        if self._held is not None:
            self._held.terminate()
            self._held = None


async def _take(held: asyncpg.Connection) -> bool:
    deadline = asyncio.get_running_loop().time() + _PATIENCE_S
    while not await held.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_AGAIN_S)
    return True
