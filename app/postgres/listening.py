"""Hears NOTIFY on a connection of its own, and gets a new one when that is lost."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from app.postgres.errors import ERRORS, PostgresError
from app.postgres.reading import scalar

_FIRST_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 5.0
#: A connection can die without a word (a laptop asleep, a firewall): this often it has to answer.
_PROBE_SECONDS = 30.0

#: By this name PostgreSQL knows the connection of whoever listens.
_APPLICATION = "agentpane-listener"

log = logging.getLogger(__name__)


class Listener:
    """Calls `on_payload(text)` for each notification on `channel`, in order.

    While the connection is lost notifications are lost too: `on_reconnect()` is awaited each time it is back and
    listening, so that the caller reads what it missed. Neither callback may raise; `on_payload` must not block.
    """

    def __init__(
        self,
        url: Callable[[], str] | str,
        channel: str,
        on_payload: Callable[[str], None],
        on_reconnect: Callable[[], Awaitable[None]],
    ) -> None:
        self._url = url
        self._channel = channel
        self._on_payload = on_payload
        self._on_reconnect = on_reconnect
        self._connection: asyncpg.Connection | None = None
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen from now on. Raises `PostgresError` when the first connection cannot be made."""
        try:
            await self._listen()
        except ERRORS as error:
            raise PostgresError(f"The database does not let us listen for changes: {error}") from error
        self._task = asyncio.create_task(self._keep_listening(), name=f"listener {self._channel}")

    async def stop(self) -> None:
        """Stop listening; no callback is called after this returns."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _keep_listening(self) -> None:
        while True:
            await self._until_lost()
            log.warning("The connection that listens for changes is lost; connecting again.")
            await self._listen_again()
            await self._on_reconnect()

    async def _until_lost(self) -> None:
        while not self._lost.is_set():
            try:
                await asyncio.wait_for(self._lost.wait(), _PROBE_SECONDS)
            except TimeoutError:
                await self._probe()

    async def _probe(self) -> None:
        assert self._connection is not None
        try:
            await self._connection.execute("SELECT 1", timeout=10)
        except ERRORS:
            self._lost.set()

    async def _listen_again(self) -> None:
        backoff = _FIRST_BACKOFF_SECONDS
        while True:
            try:
                return await self._listen()
            except (*ERRORS, PostgresError):
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF_SECONDS)

    async def _listen(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        lost = self._lost = asyncio.Event()
        url = self._url if isinstance(self._url, str) else self._url()
        connection = self._connection = await asyncpg.connect(
            url, timeout=10, server_settings={"application_name": _APPLICATION}
        )
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(self._channel, self._heard)

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        self._on_payload(payload)


async def somebody_listens() -> bool:
    """Whether a process listens at this database now, which every serving process does."""
    found = await scalar(
        "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1)",
        _APPLICATION,
    )
    return bool(found)
