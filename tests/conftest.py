"""Shared fixtures: one real PostgreSQL for the whole run."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from app.postgres import migrations, pool
from app.postgres.supervisor import EmbeddedServer


@pytest.fixture(scope="session")
async def database_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """An empty database of this run's own: on the server that DATABASE_URL names, else on an embedded one."""
    given = os.environ.get("DATABASE_URL")
    if given:
        async with fresh_database(given) as url:
            yield url
        return
    server = EmbeddedServer(Path(tmp_path_factory.mktemp("server")) / "postgres")
    await server.start()
    yield server.url
    await server.stop()


@pytest.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[str]:
    """The database migrated, and the pool of the one engine connected to it; gives its URL."""
    await migrations.migrate(database_url)
    await pool.connect(database_url)
    yield database_url
    await pool.disconnect()


@asynccontextmanager
async def fresh_database(server_url: str) -> AsyncIterator[str]:
    """An empty database on the server, dropped at the end."""
    name = f"agentpane_test_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(server_url)
    await connection.execute(f"CREATE DATABASE {name}")
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()
