"""The one engine: found by every table, pointed at a database when its address is known."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from piccolo.columns import Integer
from piccolo.engine import engine_finder
from piccolo.table import Table

from app.postgres import pool
from app.postgres.errors import PostgresError
from tests.databases import ask


class Counter(Table, tablename="counter_of_pool_test"):
    number = Integer()


async def test_tables_use_the_engine_that_was_connected_later(empty_database: str) -> None:
    await pool.connect(empty_database)
    await Counter.create_table()
    await Counter(number=7).save()
    answers = await asyncio.gather(*(Counter.select(Counter.number) for _ in range(20)))
    assert answers == [[{"number": 7}]] * 20
    assert pool.engine().pool is not None
    assert pool.engine().pool.get_max_size() == 8


async def test_a_transaction_that_was_left_open_is_rolled_back_when_the_connection_is_given_back(
    empty_database: str,
) -> None:
    await pool.connect(empty_database, minimum=1, maximum=1)
    await Counter.create_table()
    held = pool.engine().pool
    async with held.acquire() as connection:
        await connection.execute("BEGIN")
        await connection.execute("INSERT INTO counter_of_pool_test (number) VALUES (7)")
    async with held.acquire() as connection:
        assert not connection.is_in_transaction()
    assert await Counter.count() == 0


async def test_giving_a_connection_back_asks_the_server_nothing(empty_database: str) -> None:
    await pool.connect(empty_database, minimum=1, maximum=1)
    held = pool.engine().pool
    async with held.acquire() as connection:
        me = await connection.fetchval("SELECT pg_backend_pid()")
    last = await ask(empty_database, "SELECT query FROM pg_stat_activity WHERE pid = $1", me)
    assert last == "SELECT pg_backend_pid()"


async def test_the_engine_is_not_moved_to_another_database_while_its_pool_is_open(empty_database: str) -> None:
    await pool.connect(empty_database)
    await pool.connect(empty_database)
    with pytest.raises(PostgresError, match="disconnect it first"):
        pool.point_at("postgresql://elsewhere/other")


def test_piccolo_finds_it_whatever_the_environment_says(tmp_path: Path) -> None:
    program = "import app; from piccolo.engine import engine_finder; print(type(engine_finder()).__module__)"
    environment = {"PICCOLO_CONF": "somebody.elses", "PYTHONPATH": str(Path.cwd())}
    answer = subprocess.run(
        [sys.executable, "-c", program], check=False, env=environment, cwd=tmp_path, capture_output=True
    )
    assert answer.stdout.decode().strip() == "app.postgres.pool", answer.stderr.decode()
    assert engine_finder() is pool.engine()
