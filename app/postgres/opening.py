"""The database from address to pool: what the server and every command open first and close last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.postgres import pool
from app.postgres.errors import ERRORS, PostgresError
from app.postgres.migrations import migrate
from app.postgres.supervisor import EmbeddedServer


@asynccontextmanager
async def database(url: str, folder: Path) -> AsyncIterator[str]:
    """The database migrated, and the pool of the one engine connected to it; gives its address.

    `url` is any PostgreSQL ≥ 15; where it is empty, the embedded server of `folder` is started, or joined if another
    process has it, and is kept running meanwhile. Raises `PostgresError`.
    """
    async with server(url, folder) as address:
        await migrate(address)
        try:
            await pool.connect(address)
        except ERRORS as error:
            raise PostgresError(f"The database cannot be reached: {error}") from error
        try:
            yield address
        finally:
            await pool.disconnect()


@asynccontextmanager
async def server(url: str, folder: Path) -> AsyncIterator[str]:
    """Only the server behind `database`: nothing is migrated and no pool is opened."""
    if url:
        yield url
        return
    embedded = EmbeddedServer(folder)
    await embedded.start()
    watch = asyncio.create_task(embedded.watch(), name="embedded database")
    try:
        yield embedded.url
    finally:
        watch.cancel()
        await asyncio.wait([watch])
        await embedded.stop()
