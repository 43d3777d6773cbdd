"""Read a program's output line by line without ever holding much of it."""

import asyncio
from collections.abc import AsyncIterator

from msgspec import Struct

_CHUNK = 64 * 1024


class Line(Struct, frozen=True):
    """One line without its end. Bytes that are no UTF-8 are replaced."""

    text: str
    #: Bytes that were dropped because the line was longer than the limit.
    cut: int = 0


class LineReader:
    """The lines of `stream`, each at most `max_line` bytes; at most a chunk and a line are held."""

    def __init__(self, stream: asyncio.StreamReader, max_line: int = 1024 * 1024) -> None:
        self._stream = stream
        self._max_line = max_line
        self._pending = bytearray()
        self._dropped = 0
        self._ended = False

    async def batch(self) -> list[Line] | None:
        """Wait for output and return its whole lines (it may be none yet); None at the end. Safe to cancel."""
        if self._ended:
            return None
        chunk = await self._stream.read(_CHUNK)
        if not chunk:
            self._ended = True
            return [self._take()] if self._pending or self._dropped else None
        *whole, rest = chunk.split(b"\n")
        lines = []
        for part in whole:
            self._add(part)
            lines.append(self._take())
        self._add(rest)
        return lines

    async def discard(self) -> int:
        """Read what is left and throw it away; returns how many bytes that was."""
        count = len(self._pending) + self._dropped
        while chunk := await self._stream.read(_CHUNK):
            count += len(chunk)
        self._ended = True
        return count

    async def __aiter__(self) -> AsyncIterator[Line]:
        while (lines := await self.batch()) is not None:
            for line in lines:
                yield line

    def _add(self, part: bytes) -> None:
        room = self._max_line - len(self._pending)
        self._pending += part[:room]
        self._dropped += max(0, len(part) - room)

    def _take(self) -> Line:
        line = Line(self._pending.decode("utf-8", errors="replace").removesuffix("\r"), self._dropped)
        self._pending.clear()
        self._dropped = 0
        return line
