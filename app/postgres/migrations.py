"""Brings a database up to date, one process at a time: Piccolo's migrations under an advisory lock."""

import contextlib
import io
import sys
from collections.abc import AsyncIterator, Iterator

import asyncpg
from piccolo.apps.migrations.commands.base import BaseMigrationManager
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager
from piccolo.apps.migrations.tables import Migration
from piccolo.conf.apps import AppConfig

from app.postgres.connection import connect
from app.postgres.errors import ERRORS, PostgresError
from app.postgres.pool import point_at

APP_NAME = "agentpane"

_LOCK_NUMBER = 0x6167_656E_7470_616E  # "agentpan": any number that nobody else takes
_LOCK_SECONDS = 300


async def migrate(url: str) -> list[str]:
    """Apply what is pending and return the ids applied, oldest first; concurrent callers wait for each other.

    Raises `PostgresError` for a server that is too old or away, and for a migration that fails: it is named, and
    has changed nothing.
    """
    point_at(url)
    async with _alone(url):
        waiting = await _pending()
        for migration_id in waiting:
            await _apply(migration_id)
        return waiting


async def pending(url: str) -> list[str]:
    """The ids of the migrations that `migrate` would apply, oldest first."""
    point_at(url)
    connection = await connect(url)
    await connection.close(timeout=5)
    return await _pending()


async def applied(url: str) -> list[str]:
    """The ids of the migrations that the database has, oldest first."""
    point_at(url)
    return await _applied()


async def _pending() -> list[str]:
    done = set(await _applied())
    return [migration_id for migration_id in known() if migration_id not in done]


async def _applied() -> list[str]:
    if not await Migration.table_exists().run():
        return []
    return sorted(await Migration.get_migrations_which_ran(app_name=APP_NAME))


def known() -> list[str]:
    """The ids of all migrations of this version of AgentPane, oldest first."""
    with quietly():
        return sorted(BaseMigrationManager().get_migration_modules(_app().resolved_migrations_folder_path))


async def _apply(migration_id: str) -> None:
    with quietly():
        try:
            result = await ForwardsMigrationManager(app_name=APP_NAME, migration_id=migration_id).run()
        except ERRORS as error:
            raise PostgresError(f"Migration {migration_id} failed and was rolled back: {error}") from error
    if not result.success:
        raise PostgresError(f"Migration {migration_id} failed: {result.message}")


def _app() -> AppConfig:
    return BaseMigrationManager().get_app_config(app_name=APP_NAME)


@contextlib.asynccontextmanager
async def _alone(url: str) -> AsyncIterator[None]:
    """Hold the advisory lock on a connection of its own; PostgreSQL frees it when that connection goes."""
    connection = await connect(url)
    try:
        await _lock(connection)
        yield
    finally:
        await connection.close(timeout=5)


async def _lock(connection: asyncpg.Connection) -> None:
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK_NUMBER, timeout=_LOCK_SECONDS)
    except TimeoutError as error:
        raise PostgresError(f"Another process has been migrating the database for {_LOCK_SECONDS} s.") from error


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Piccolo prints its progress and leaves the migrations' folder first in `sys.path`."""
    path = list(sys.path)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        sys.path[:] = path
