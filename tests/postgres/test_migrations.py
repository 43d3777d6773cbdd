"""Migrations: applied once, in order, whoever comes first; a failed one changes nothing and is named."""

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from app.piccolo_app import APP_CONFIG
from app.postgres import pool
from app.postgres.errors import PostgresError
from app.postgres.migrations import applied, migrate, pending
from tests.databases import ask

MIGRATION = """
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "{id}"
VERSION = "1.38.0"
DESCRIPTION = ""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="agentpane", description=DESCRIPTION)

    async def run():
        for statement in {statements}:
            await Table.raw(statement)

    manager.add_raw(run)
    return manager
"""

MIGRATE = """
import asyncio, sys
from app.piccolo_app import APP_CONFIG
from app.postgres.migrations import migrate
APP_CONFIG.migrations_folder_path = sys.argv[2]
print(",".join(asyncio.run(migrate(sys.argv[1]))))
"""


@pytest.fixture
def folder_of_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(APP_CONFIG, "migrations_folder_path", str(tmp_path))
    return tmp_path


def write(folder: Path, migration_id: str, *statements: str) -> None:
    # A module is imported once under its name: each test's files need names of their own.
    name = f"{folder.name}_{migration_id}.py".replace("-", "_")
    (folder / name).write_text(MIGRATION.format(id=migration_id, statements=statements))


async def test_what_is_pending_is_applied_once_in_order(empty_database: str, folder_of_migrations: Path) -> None:
    write(folder_of_migrations, "2026-01-02", "ALTER TABLE shelf ADD COLUMN book text")
    write(folder_of_migrations, "2026-01-01", "CREATE TABLE shelf (id integer)")
    path = list(sys.path)
    assert await pending(empty_database) == ["2026-01-01", "2026-01-02"]
    assert await migrate(empty_database) == ["2026-01-01", "2026-01-02"]
    assert await migrate(empty_database) == []
    assert await pending(empty_database) == []
    assert await applied(empty_database) == ["2026-01-01", "2026-01-02"]
    assert await ask(empty_database, "SELECT count(book) FROM shelf") == 0
    assert sys.path == path


async def test_nothing_is_printed(
    empty_database: str, folder_of_migrations: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder_of_migrations, "2026-01-01", "CREATE TABLE silent (id integer)")
    await migrate(empty_database)
    assert capsys.readouterr() == ("", "")


async def test_a_migration_that_fails_is_named_and_changes_nothing(
    empty_database: str, folder_of_migrations: Path
) -> None:
    write(folder_of_migrations, "2026-01-01", "CREATE TABLE half (id integer)", "CREATE TABLE half (id integer)")
    with pytest.raises(PostgresError, match=r"2026-01-01 failed and was rolled back: .*already exists"):
        await migrate(empty_database)
    assert await ask(empty_database, "SELECT to_regclass('half')::text") is None
    assert await pending(empty_database) == ["2026-01-01"]


async def test_four_processes_at_once_apply_each_migration_once(
    empty_database: str, folder_of_migrations: Path
) -> None:
    ids = ["2026-01-01", "2026-01-02", "2026-01-03"]
    for number, migration_id in enumerate(ids):
        write(
            folder_of_migrations,
            migration_id,
            f"CREATE TABLE once_{number} AS SELECT 1 AS n FROM (SELECT pg_sleep(0.05)) AS s",
        )
    command = [sys.executable, "-c", MIGRATE, empty_database, str(folder_of_migrations)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [await asyncio.to_thread(process.communicate, timeout=60) for process in started]
    assert [process.returncode for process in started] == [0, 0, 0, 0]
    assert sorted(output.strip() for output, _ in answers) == ["", "", "", ",".join(ids)]


@pytest.mark.usefixtures("empty_database")
async def test_a_server_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(PostgresError, match="cannot be reached"):
        await migrate("postgresql://nobody@127.0.0.1:1/nowhere")


@pytest.mark.usefixtures("empty_database")
async def test_a_server_older_than_15_is_refused() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """PostgreSQL's greeting, as version 14 says it."""
        await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big") - 4)
        version = b"server_version\x0014.11\x00"
        writer.write(b"R" + (8).to_bytes(4, "big") + (0).to_bytes(4, "big"))
        writer.write(b"S" + (4 + len(version)).to_bytes(4, "big") + version)
        writer.write(b"Z" + (5).to_bytes(4, "big") + b"I")
        await reader.readexactly(5)  # the goodbye
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(PostgresError, match="PostgreSQL 14; AgentPane needs 15"):
            await migrate(f"postgresql://somebody@127.0.0.1:{port}/old?sslmode=disable")


async def test_a_pool_that_is_open_is_used(empty_database: str, folder_of_migrations: Path) -> None:
    write(folder_of_migrations, "2026-01-01", "CREATE TABLE pooled (id integer)")
    await pool.connect(empty_database)
    assert await migrate(empty_database) == ["2026-01-01"]
    connection = await asyncpg.connect(empty_database)
    assert await connection.fetchval("SELECT count(*) FROM pooled") == 0
    await connection.close()
