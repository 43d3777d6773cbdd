"""Shared fixtures: one real PostgreSQL for the whole run."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.postgres import migrations, pool
from tests.databases import fresh_database, served


@pytest.fixture(scope="session")
async def database_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """An empty database of this run's own: on the server that DATABASE_URL names, else on an embedded one."""
    given = os.environ.get("DATABASE_URL")
    if given:
        async with fresh_database(given) as url:
            yield url
        return
    async with served(Path(tmp_path_factory.mktemp("server")) / "postgres") as server:
        yield server.url


@pytest.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[str]:
    """The database migrated, and the pool of the one engine connected to it; gives its URL."""
    await migrations.migrate(database_url)
    await pool.connect(database_url)
    yield database_url
    await pool.disconnect()


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
