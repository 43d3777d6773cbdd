"""One server to a database: two would each take the other's live runs for dead ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from app.postgres.connection import connect
from app.postgres.errors import PostgresError

#: The number of the advisory lock; any that nothing else in this database uses.
_LOCK = 7_245_118
#: Seconds to wait for the connection of a server that was killed a moment ago to be noticed.
_PATIENCE_S = 5.0
_AGAIN_S = 0.25


@asynccontextmanager
async def sole_server(url: str) -> AsyncIterator[None]:
    """Be the only server of the database at `url`. Raises `PostgresError` when another one is."""
    held = await connect(url)
    try:
        if not await _take(held):
            raise PostgresError("Another AgentPane serves from this database already. Open that one, or stop it first.")
        yield
    finally:
        held.terminate()


async def _take(held: asyncpg.Connection) -> bool:
    deadline = asyncio.get_running_loop().time() + _PATIENCE_S
    while not await held.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_AGAIN_S)
    return True
