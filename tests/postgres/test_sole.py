"""Two servers on one database would end each other's runs, so the second is refused."""

import asyncio

import asyncpg
import pytest

from app.postgres.errors import PostgresError
from app.postgres.sole import sole_server
from tests.databases import ask

HOLDER = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"


async def test_a_second_server_is_refused_until_the_first_is_gone(database_url: str) -> None:
    async with sole_server(database_url):
        with pytest.raises(PostgresError, match="serves from this database already"):
            async with sole_server(database_url):
                pytest.fail("two servers at once")
    async with sole_server(database_url):
        pass


async def test_it_stays_the_only_one_when_the_database_cuts_its_connection(empty_database: str) -> None:
    async with sole_server(empty_database, lambda: pytest.fail("nobody took it over")):
        first = await ask(empty_database, HOLDER)
        await ask(empty_database, "SELECT pg_terminate_backend($1, 5000)", first)
        async with asyncio.timeout(30):
            while await ask(empty_database, HOLDER) in (None, first):
                await asyncio.sleep(0.02)
        with pytest.raises(PostgresError, match="serves from this database already"):
            async with sole_server(empty_database):
                pytest.fail("two servers at once")


async def test_it_ends_when_another_was_quicker(empty_database: str) -> None:
    lost = asyncio.Event()
    async with sole_server(empty_database, lost.set):
        other = await _takes_over(empty_database)
        async with asyncio.timeout(30):
            await lost.wait()
        other.terminate()


async def _takes_over(url: str) -> asyncpg.Connection:
    """Somebody who waits for the lock and gets it as soon as the first one's connection is cut."""
    other = await asyncpg.connect(url)
    waiting = asyncio.create_task(other.execute("SELECT pg_advisory_lock(7245118)"))
    while not await ask(url, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
        await asyncio.sleep(0.02)
    await ask(url, "SELECT pg_terminate_backend($1, 5000)", await ask(url, HOLDER))
    await waiting
    return other
