"""NOTIFY is heard, and heard again after the connection was lost."""

import asyncio

from app.postgres.listening import Listener
from tests.databases import ask


async def test_payloads_arrive_in_order_and_again_after_a_lost_connection(database_url: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def resync() -> None:
        heard.put_nowait("resync")

    listener = Listener(lambda: database_url, "news", heard.put_nowait, resync)
    await listener.start()
    try:
        await ask(database_url, "SELECT count(pg_notify('news', n::text)) FROM generate_series(1, 3) n")
        assert [await _next(heard) for _ in range(3)] == ["1", "2", "3"]

        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'agentpane-listener'"
        assert await ask(database_url, cut) is True
        assert await _next(heard) == "resync"

        await ask(database_url, "SELECT pg_notify('news', 'again')")
        assert await _next(heard) == "again"
    finally:
        await listener.stop()
    await ask(database_url, "SELECT pg_notify('news', 'late')")
    assert heard.empty()


async def _next(heard: asyncio.Queue[str]) -> str:
    return await asyncio.wait_for(heard.get(), 10)
