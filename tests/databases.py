"""Databases for tests: an empty one on a server, a server of one's own, one question to either."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from app.postgres.supervisor import EmbeddedServer


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[EmbeddedServer]:
    """The folder's embedded server, started and stopped again."""
    server = EmbeddedServer(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def fresh_database(server_url: str) -> AsyncIterator[str]:
    """An empty database on the server, dropped at the end."""
    name = f"agentpane_test_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(server_url, timeout=10)
    await connection.execute(f"CREATE DATABASE {name}")
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


async def ask(url: str, query: str, *arguments: object) -> object:
    """The first value of the first row, on a connection of its own."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval(query, *arguments, timeout=10)
    finally:
        await connection.close()
