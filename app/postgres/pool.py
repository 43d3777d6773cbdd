"""The one Piccolo engine and its pool. Tables find it through `app.piccolo_conf`; its address is set at run time."""

import asyncio
from typing import Any

from piccolo.engine.postgres import PostgresEngine

from app.postgres.errors import PostgresError
from app.postgres.transactions import Transaction

MINIMUM_CONNECTIONS = 2
MAXIMUM_CONNECTIONS = 8


class _LateEngine(PostgresEngine):
    """An engine that is made before its address is known: Piccolo's own would connect as soon as it is imported."""

    async def check_version(self) -> None:
        """`migrations.migrate` refuses a server that is too old."""

    async def prep_database(self) -> None:
        """We need no extensions."""

    def transaction(self, allow_nested: bool = True) -> Transaction:
        """A transaction, or in an open one nothing new."""
        return Transaction(engine=self, allow_nested=allow_nested)


_ENGINE = _LateEngine(config={"dsn": ""}, extensions=())


def engine() -> PostgresEngine:
    """The engine of every table; `engine().transaction()` opens a transaction."""
    return _ENGINE


def point_at(url: str) -> None:
    """Let the engine use the database at `url`, one connection per query until `connect` makes a pool.

    Raises `PostgresError` while a pool to another database is open.
    """
    if _ENGINE.pool is not None and _ENGINE.config.get("dsn") != url:
        raise PostgresError("A pool to another database is open: disconnect it first.")
    _ENGINE.config = _configuration(url)


async def connect(url: str, minimum: int = MINIMUM_CONNECTIONS, maximum: int = MAXIMUM_CONNECTIONS) -> None:
    """Open the pool. Call it on the event loop that will use it; a second call for the same `url` does nothing."""
    point_at(url)
    if _ENGINE.pool is None:
        await _ENGINE.start_connection_pool(min_size=minimum, max_size=maximum, reset=_as_it_is)


async def disconnect() -> None:
    """Close the pool once its connections are given back; after 5 s they are cut."""
    pool, _ENGINE.pool = _ENGINE.pool, None
    if pool is None:
        return
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def _as_it_is(_connection: Any) -> None:
    """Give a connection back without asking the server to forget its session, which costs as much as a short query.

    An open transaction is rolled back all the same. Nobody may leave a SET, a LISTEN or an advisory lock behind on
    a connection of the pool: the listener and the migrations have connections of their own.
    """


def _configuration(url: str) -> dict[str, Any]:
    return {"dsn": url, "timeout": 10, "server_settings": {"application_name": "agentpane"}}
