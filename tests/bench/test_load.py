"""The load's client counts whole answers, and takes no refusal for an answer."""

import pytest

from bench.harness import yardstick
from bench.load import Connection, burst


async def test_answers_are_counted_and_timed() -> None:
    async with yardstick("bare") as (url, _):
        found = await burst(url, "/", {}, connections=2, seconds=0.2)
    assert len(found.latencies) > 2
    assert found.rate == len(found.latencies) / found.elapsed
    assert 0 < found.ms(0.5) <= found.ms(0.99)


async def test_an_answer_that_is_no_page_ends_the_burst() -> None:
    async with yardstick("bare") as (url, _):
        with pytest.raises(ConnectionError, match="404"):
            await burst(url, "/nothing", {}, connections=1, seconds=0.2)


async def test_a_form_without_the_visitors_token_is_refused() -> None:
    async with yardstick("stack") as (url, _), Connection(url, {}) as connection:
        assert await connection.post("/", {"title": "x"}, {}) in (403, 405)
