"""JSON-RPC as lines of a program's standard streams: the transport below the library's connection.

What a program says is hostile: no line is held whole beyond `MAX_LINE`, nothing is read while the recorder is behind,
and what cannot be understood is told and passed over.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from app.processes.lines import Line
from app.processes.spawning import GuardedProcess
from app.runners.base import AgentEvent, Notice
from app.runners.lines import as_json

#: Longest line, in bytes: a call with a large file in it.
MAX_LINE = 16 * 1024 * 1024
#: Requests of the program that may wait for an answer at a time.
MAX_WAITING = 100
#: Strange lines that are told one by one, and characters shown of each.
MAX_STRANGE, SHOWN = 20, 500
UPDATE = "session/update"
_TOO_MANY = {"code": -32000, "message": f"More than {MAX_WAITING} requests wait for an answer already."}


class Wire:
    """The library's `Transport`. Updates go to `on_update` one by one, in order, before what follows is read."""

    def __init__(
        self,
        process: GuardedProcess,
        on_update: Callable[[dict[str, Any]], Awaitable[None]],
        emit: Callable[[AgentEvent], Awaitable[None]],
    ) -> None:
        self._process = process
        self._on_update = on_update
        self._emit = emit
        self._lines: list[Line] = []
        #: Ids of our requests without an answer, and of the program's.
        self._asked: set[Any] = set()
        self._waiting: set[Any] = set()
        self._strange = 0
        #: Why the program cannot be talked to any more, as a sentence; None while it can.
        self.broken: str | None = None

    async def send(self, message: dict[str, Any]) -> None:
        """Say one message. OSError when the program is gone; of an answer it is no error: nobody waits for it then."""
        line = json.dumps(message) + "\n"
        if "method" in message:
            self._asked |= {message["id"]} if "id" in message else set()
            return await self._process.say(line)
        self._waiting.discard(message["id"])
        with contextlib.suppress(OSError):
            await self._process.say(line)

    async def receive(self) -> dict[str, Any] | None:
        """The next response or request; None when the program has closed its output or cannot be talked to."""
        await asyncio.sleep(0)  # The library begins with a question before what follows it is read.
        while self.broken is None and (line := await self._next_line()) is not None:
            message = await self._understand(line)
            if message is not None and message.get("method") == UPDATE:
                await self._on_update(message["params"])
            elif message is not None and await self._is_expected(message):
                return message
        return None

    async def close(self) -> None:
        """Nothing of our own is open: the process is ended by whoever started it."""

    async def _next_line(self) -> Line | None:
        while not self._lines:
            batch = await self._process.stdout.batch()
            if batch is None:
                return None
            self._lines = batch[::-1]
        return self._lines.pop()

    async def _understand(self, line: Line) -> dict[str, Any] | None:
        if line.cut:
            await self._too_long(line)
            return None
        message = as_json(line.text)
        if message is not None and _has_shape(message):
            return message
        if line.text.strip():
            await self._tell(f"The program said something that is no message: {line.text[:SHOWN]}")
        return None

    async def _too_long(self, line: Line) -> None:
        size = f"of more than {MAX_LINE // 1024**2} MiB"
        if f'"{UPDATE}"' in line.text[:SHOWN]:
            await self._tell(f"The program told something in a line {size}; it is not kept.")
        else:
            self.broken = f"The program sent a line {size}, which may have been the answer that was waited for."

    async def _is_expected(self, message: dict[str, Any]) -> bool:
        if "method" not in message:
            if message["id"] in self._asked:
                self._asked.discard(message["id"])
                return True
            await self._tell(f"The program answered a question that nobody asked: {str(message['id'])[:SHOWN]}")
            return False
        if "id" in message and len(self._waiting) >= MAX_WAITING:
            await self.send({"jsonrpc": "2.0", "id": message["id"], "error": _TOO_MANY})
            return False
        self._waiting |= {message["id"]} if "id" in message else set()
        return True

    async def _tell(self, text: str) -> None:
        self._strange += 1
        if self._strange <= MAX_STRANGE:
            await self._emit(Notice(text=text, level="warning"))
        if self._strange == MAX_STRANGE:
            await self._emit(Notice(text="More of that kind is not told.", level="warning"))


def _has_shape(message: dict[str, Any]) -> bool:
    """Whether the library can take the message without breaking off."""
    is_call = isinstance(message.get("method"), str)
    if is_call and message["method"] == UPDATE:
        params = message.get("params")
        return isinstance(params, dict) and isinstance(params.get("update"), dict)
    has_id = isinstance(message.get("id"), int | str)
    return (is_call and (has_id or "id" not in message)) or (
        has_id and "method" not in message and isinstance(message.get("error") or {}, dict)
    )
