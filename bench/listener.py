"""A reader of a session's stream that only notes the numbers of the events that it gets."""

import asyncio
import contextlib
from typing import Self

import httpx


class Listener:
    """Listens from the session's first event until it is left. `numbers` is what came, in its order."""

    def __init__(self, url: str, session_id: str) -> None:
        self._address = f"{url}/sessions/{session_id}/events?after=0"
        self._task: asyncio.Task[None] | None = None
        self.numbers: list[int] = []

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _listen(self) -> None:
        async with httpx.AsyncClient(timeout=None) as client, client.stream("GET", self._address) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    self.numbers.append(int(line.removeprefix("id: ")))
