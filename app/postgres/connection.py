"""One connection outside the pool, to a server that is new enough."""

import asyncpg

from app.postgres.binaries import MINIMUM_MAJOR
from app.postgres.errors import ERRORS, PostgresError


async def connect(url: str) -> asyncpg.Connection:
    """A connection that the caller closes. Raises `PostgresError` for a server that is away, refuses or is too old."""
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except ERRORS as error:
        raise PostgresError(f"The database cannot be reached: {error or 'no answer within 10 s'}") from error
    major = connection.get_server_version().major
    if major < MINIMUM_MAJOR:
        await connection.close(timeout=5)
        raise PostgresError(f"The database is PostgreSQL {major}; AgentPane needs {MINIMUM_MAJOR} or newer.")
    return connection
