"""Fixtures for tests that start and hurt a server of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from app.postgres import pool
from app.postgres.supervisor import EmbeddedServer
from tests.conftest import fresh_database


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[EmbeddedServer]:
    """The folder's server, started and stopped again."""
    server = EmbeddedServer(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def ask(url: str, query: str, *arguments: object) -> object:
    """The first value of the first row, on a connection of its own."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval(query, *arguments, timeout=10)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped cluster with the table `kept`, shared by tests that each leave it stopped."""
    folder = tmp_path_factory.mktemp("own server") / "postgres"
    async with served(folder) as server:
        await ask(server.url, "CREATE TABLE kept (number integer)")
    return folder


@pytest.fixture
async def empty_database(database_url: str) -> AsyncIterator[str]:
    """An empty database that the one engine may be pointed at; what it was connected to before comes back after."""
    before = pool.engine().config["dsn"] if pool.engine().pool else None
    await pool.disconnect()
    async with fresh_database(database_url) as url:
        yield url
        await pool.disconnect()
    if before:
        await pool.connect(before)
