"""What a command prints, as events: JSON lines of a known program, else text in messages of a bearable size."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from app.processes.cutting import beginning
from app.processes.lines import Line, LineReader
from app.runners.base import AgentEvent, ErrorType, Message, Notice, Started, TextDelta, Usage
from app.runners.lines import JsonLines, as_json, detect

#: A message of plain text ends when it is this long, or when the program has been quiet for so many seconds.
MESSAGE_CHARS = 8 * 1024
QUIET_S = 1.0
#: Characters of plain output that are kept of one run.
MAX_PLAIN = 1024 * 1024
MAX_STDERR = 64 * 1024
#: What is counted on where a run begins anew.
_SUMS = ("input_tokens", "output_tokens", "cost_usd", "cache_read_tokens", "cache_write_tokens")

Emit = Callable[[AgentEvent], Awaitable[None]]


class OutputReader:
    """Reads standard output to its end. `started` is sent again when the program tells its conversation's id."""

    def __init__(
        self,
        lines: LineReader,
        emit: Emit,
        started: Started,
        turns_before: int = 0,
        usage_before: Usage | None = None,
    ) -> None:
        self._lines = lines
        self._emit = emit
        self._started = started
        self._turns_before = turns_before
        self._usage_before = usage_before or Usage()
        self._text: list[str] = []
        self._fresh: list[str] = []
        self._chars = 0
        self._messages = 0
        self._room = MAX_PLAIN
        self._plain_result: str | None = None
        #: The parser of a program that was recognised.
        self.parser: JsonLines | None = None

    @property
    def result(self) -> str | None:
        """The last message."""
        return self.parser.result if self.parser else self._plain_result

    @property
    def turns(self) -> int:
        """Answers of the model, where the program tells; else 0."""
        return self.parser.turn if self.parser else self._turns_before

    @property
    def usage(self) -> Usage:
        return added(self._usage_before, self.parser.usage) if self.parser else self._usage_before

    @property
    def native_session_id(self) -> str | None:
        return self.parser.native_session_id if self.parser else None

    @property
    def error(self) -> str | None:
        """What the program itself reported as its failure."""
        return self.parser.error if self.parser else None

    @property
    def error_type(self) -> ErrorType | None:
        return self.parser.error_type if self.parser else None

    async def read(self) -> None:
        """Emit everything until the program closes its output."""
        while (lines := await self._batch()) is not None:
            for line in lines:
                await self._line(line)
            await self._say_fresh()
            if self._room <= 0:
                await self._drop_the_rest()
        await self._end_message()

    async def finish(self) -> None:
        """Close calls that never ended; to be called when the program is gone."""
        for event in self.parser.finish() if self.parser else []:
            await self._emit(event)

    async def _batch(self) -> list[Line] | None:
        while self._chars:
            try:
                async with asyncio.timeout(QUIET_S):
                    return await self._lines.batch()
            except TimeoutError:
                await self._end_message()
        return await self._lines.batch()

    async def _line(self, line: Line) -> None:
        data = as_json(line.text) if not line.cut else None
        if data is not None and self.parser is None:
            self.parser = detect(data)
            if self.parser is not None:
                self.parser.turn = self._turns_before
            await self._end_message()
        if data is not None and self.parser is not None:
            await self._parsed(self.parser, data)
        elif self.parser is not None:
            await self._stray(line)
        else:
            await self._plain(line)

    async def _parsed(self, parser: JsonLines, data: dict[str, object]) -> None:
        for event in parser.read(data):
            await self._emit(self.usage if isinstance(event, Usage) else event)
        known = Started(
            native_session_id=parser.native_session_id,
            model=parser.model,
            pid=self._started.pid,
            start_ticks=self._started.start_ticks,
        )
        if known != self._started and parser.native_session_id:
            self._started = known
            await self._emit(known)

    async def _stray(self, line: Line) -> None:
        """A line of a known program that is no line of its format; invalid JSON, a warning of a library."""
        if not line.text.strip() or self._room <= 0:
            return
        text = _shown(line, MESSAGE_CHARS)
        self._room -= len(text)
        await self._emit(Notice(text=text))
        if self._room <= 0:
            text = f"More than {MAX_PLAIN // 1024**2} MiB of lines could not be understood; the rest is not kept."
            await self._emit(Notice(text=text, level="warning"))

    async def _plain(self, line: Line) -> None:
        text = _shown(line, MESSAGE_CHARS)
        if not self._chars and not text.strip():
            return
        self._text.append(text)
        self._fresh.append(text)
        self._chars += len(text) + 1
        self._room -= len(text) + 1
        if self._chars >= MESSAGE_CHARS:
            await self._end_message()

    async def _say_fresh(self) -> None:
        """What came last and is in no whole message yet."""
        if self._fresh:
            await self._emit(TextDelta(message_id=self._message_id, text="\n".join(self._fresh) + "\n"))
            self._fresh.clear()

    async def _end_message(self) -> None:
        if self._chars:
            self._plain_result = "\n".join(self._text).rstrip()
            await self._emit(Message(message_id=self._message_id, text=self._plain_result))
            self._messages += 1
            self._text.clear()
            self._fresh.clear()
            self._chars = 0

    @property
    def _message_id(self) -> str:
        return f"output-{self._messages}"

    async def _drop_the_rest(self) -> None:
        if self.parser is not None:
            return
        await self._end_message()
        text = f"The program printed more than {MAX_PLAIN // 1024**2} MiB of text; the rest is not kept."
        await self._emit(Notice(text=text, level="warning"))
        dropped = await self._lines.discard()
        await self._emit(Notice(text=f"{dropped} more bytes of output were not kept.", level="warning"))


class StderrReader:
    """Reads standard error to its end: notices while there is room, and always the last lines."""

    def __init__(self, lines: LineReader, emit: Emit) -> None:
        self._lines = lines
        self._emit = emit
        self._room = MAX_STDERR
        #: The last lines, for the sentence that says why the program failed.
        self.tail: deque[str] = deque(maxlen=20)

    async def read(self) -> None:
        """Emit what is said on standard error, until it is closed."""
        while (lines := await self._lines.batch()) is not None:
            texts = [_shown(line, 2000) for line in lines if line.text.strip()]
            self.tail.extend(texts)
            if texts and self._room > 0:
                text = "\n".join(texts)
                await self._emit(Notice(text=beginning(text, self._room)))
                self._room -= len(text)
                if self._room <= 0:
                    await self._emit(Notice(text="More was said on standard error; it is not kept.", level="warning"))


def added(before: Usage, more: Usage) -> Usage:
    """What was used in all; unknown is not nothing, unless there is nothing to add it to."""
    pairs = {name: (getattr(before, name), getattr(more, name)) for name in _SUMS}
    sums = {name: old if new is None else (old or 0) + new for name, (old, new) in pairs.items()}
    return msgspec.structs.replace(more, **sums)


def _shown(line: Line, limit: int) -> str:
    kept = beginning(line.text, limit)
    over = len(line.text) - len(kept) + line.cut
    return f"{kept}… [a line of {over} more bytes, cut]" if over else line.text
