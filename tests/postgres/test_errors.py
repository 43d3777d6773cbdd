"""A database that is away for a moment is told apart from one that refuses."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from app.postgres.errors import is_away
from tests.databases import ask, served


async def test_a_killed_server_is_away_and_the_pool_heals(folder: Path) -> None:
    async with served(folder) as server:
        pool = await asyncpg.create_pool(server.url, min_size=2, max_size=2)
        assert await pool.fetchval("SELECT 1") == 1
        watch = asyncio.create_task(server.watch())
        os.kill(server.pid, signal.SIGKILL)
        errors: list[Exception] = []
        async with asyncio.timeout(30):
            while not await _answers(pool, errors) or not errors:
                await asyncio.sleep(0.01)
        assert [error for error in errors if not is_away(error)] == []
        watch.cancel()
        await asyncio.wait([watch])
        pool.terminate()


async def test_a_wrong_query_is_not_away(database_url: str) -> None:
    with pytest.raises(asyncpg.UndefinedTableError) as raised:
        await ask(database_url, "SELECT * FROM nowhere")
    assert not is_away(raised.value)
    assert not is_away(FileNotFoundError())


async def _answers(pool: asyncpg.Pool, errors: list[Exception]) -> bool:
    try:
        return await pool.fetchval("SELECT 2", timeout=5) == 2
    except Exception as error:
        errors.append(error)
        return False
