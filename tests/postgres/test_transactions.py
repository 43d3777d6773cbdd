"""A transaction whose connection is cut lets go of it, and of the task in which it was open."""

import pytest

from app.postgres import pool
from app.postgres.errors import ERRORS
from app.postgres.reading import execute, scalar
from tests.databases import ask


@pytest.fixture
async def one_connection(empty_database: str) -> str:
    """A pool of one: a connection that is not given back is missed at once."""
    await pool.connect(empty_database, minimum=1, maximum=1)
    await execute("CREATE TABLE counter (number integer)")
    return empty_database


async def _count(*numbers: int, cut: str = "", fail: bool = False) -> None:
    """Write numbers in one transaction, whose connection the server at `cut` ends before the last of them."""
    async with pool.engine().transaction():
        for number in numbers[:-1]:
            await execute("INSERT INTO counter VALUES ($1)", number)
        if cut:
            await ask(cut, "SELECT pg_terminate_backend($1)", await scalar("SELECT pg_backend_pid()"))
        for number in numbers[-1:]:
            await execute("INSERT INTO counter VALUES ($1)", number)
        if fail:
            raise ZeroDivisionError


async def test_after_a_commit_that_failed_the_same_task_goes_on(one_connection: str) -> None:
    with pytest.raises(ERRORS):
        await _count(cut=one_connection)
    assert not pool.engine().transaction_exists()
    await _count(2)
    assert await scalar("SELECT sum(number) FROM counter") == 2


async def test_after_a_rollback_that_failed_the_same_task_goes_on(one_connection: str) -> None:
    with pytest.raises(ERRORS):
        await _count(1, 2, cut=one_connection)
    assert not pool.engine().transaction_exists()
    await _count(4)
    assert await scalar("SELECT sum(number) FROM counter") == 4


async def test_what_fails_by_itself_is_taken_back(one_connection: str) -> None:
    with pytest.raises(ZeroDivisionError):
        await _count(1, fail=True)
    async with pool.engine().transaction() as outer, pool.engine().transaction() as inner:
        await execute("INSERT INTO counter VALUES (2)")
        assert inner is outer
    assert await scalar("SELECT sum(number) FROM counter") == 2
