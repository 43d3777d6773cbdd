"""Where the programs of one run ask: a socket in a folder of the run alone, and the small program that talks to it.

What is said there is hostile. It is bounded in size, time and number, and who hangs up takes the question back.
"""

import asyncio
import contextlib
import shlex
import shutil
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec import Struct

from app.processes import ask_hook
from app.processes.sandbox import Mount, Sandbox
from app.processes.system_files import programs

#: Names the program that asks, in the environment of a run.
ASK = "AGENTPANE_ASK"
#: Where the folder is found in a sandbox, which shows nothing else of our data.
INSIDE = Path("/run/agentpane")
#: Seconds in which a call must have been told.
TOLD_S = 10.0
#: Seconds for which a call may wait for a person: a week, as with Claude.
ASKED_S = 7 * 24 * 3600.0
#: Calls of one run that may wait at a time; one more is refused at once.
MOST_WAITING = 20
#: Connections of one run; one more is closed without a word, as the server has no more to give.
MOST_CONNECTED = 100
BUSY = f"This run waits for answers to {MOST_WAITING} calls already, so nobody was asked about this one."
_SCRIPT = """#!/bin/sh
exec {python} -I -S "${{0%/*}}/{program}" "$@"
"""


class Reply(Struct, frozen=True, kw_only=True):
    """What the program that asked prints, and the code with which it ends."""

    out: str = ""
    err: str = ""
    code: int = 0


#: Answers what was told: the bytes as they came, and what ends when whoever asked is gone.
Heed = Callable[[bytes, Coroutine[Any, Any, None]], Awaitable[Reply]]


class Untold(Exception):
    """Nothing came that could be a call; the message says why."""


class Hooks:
    """Listens while it is entered; leaving it hangs up on whoever still waits."""

    def __init__(self, state_dir: Path, heed: Heed, sandbox: Sandbox | None) -> None:
        self._folder = state_dir / "ask"
        self._heed = heed
        self._has_walls = bool(sandbox and sandbox.has_walls)
        self._connected_now: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        #: The program that asks, as the run's programs find it.
        self.program = (INSIDE if self._has_walls else self._folder) / "ask"
        #: The sandbox with the folder in it.
        self.sandbox = _with_folder(sandbox, self._folder) if sandbox and self._has_walls else sandbox

    async def __aenter__(self) -> Self:
        _lay_out(self._folder)
        self._server = await asyncio.start_unix_server(self._connected, sock=_bound(self._folder))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for each in self._connected_now:
            each.cancel()
        await asyncio.gather(*self._connected_now, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connected_now) >= MOST_CONNECTED:
            return writer.close()
        is_busy = len(self._connected_now) >= MOST_WAITING
        self._connected_now.add(task)
        try:
            reply = await (self._turn_away(reader) if is_busy else self._answer(reader))
            with contextlib.suppress(ConnectionError):
                writer.write(msgspec.json.encode(reply))
                await writer.drain()
        finally:
            self._connected_now.discard(task)
            writer.close()
        return None

    async def _turn_away(self, reader: asyncio.StreamReader) -> Reply:
        """Hear it out all the same: who is cut off in the middle of a word would not hear why."""
        with contextlib.suppress(
            TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError
        ):
            async with asyncio.timeout(TOLD_S):
                left = int(await reader.readuntil(b"\n"))
                while left > 0 and (piece := await reader.read(min(left, 65536))):
                    left -= len(piece)
        return refused(BUSY)

    async def _answer(self, reader: asyncio.StreamReader) -> Reply:
        try:
            async with asyncio.timeout(TOLD_S):
                told = await _read(reader)
        except TimeoutError:
            return refused(f"The call was not told within {TOLD_S:.0f} seconds.")
        except Untold as why:
            return refused(str(why))
        return await self._heed(told, _hung_up(reader))


def refused(why: str) -> Reply:
    """What any program takes for a refusal."""
    return Reply(err=f"{why}\n", code=ask_hook.REFUSED)


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        length = int(await reader.readuntil(b"\n"))
        if not 0 <= length <= ask_hook.MAX_CALL:
            raise Untold(f"A call has at most {ask_hook.MAX_CALL // 1024**2} MiB.")
        return await reader.readexactly(length)
    except (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        raise Untold("This is not how a call is told.") from None


async def _hung_up(reader: asyncio.StreamReader) -> None:
    """Return when the other end is gone, says more than its call, or has waited for too long."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(ASKED_S):
            await reader.read(1)


def _lay_out(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # Of a server that ended in the middle of this run.
    folder.mkdir(mode=0o700)
    program = Path(ask_hook.__file__)
    shutil.copyfile(program, folder / program.name)
    script = folder / "ask"
    script.write_text(_SCRIPT.format(python=shlex.quote(str(_python())), program=program.name))
    script.chmod(0o700)


def _bound(folder: Path) -> socket.socket:
    """A socket in `folder`, however long its path is: bound by a short link to it."""
    listening = socket.socket(socket.AF_UNIX)
    with tempfile.TemporaryDirectory(prefix="ask-") as short:
        link = Path(short) / "here"
        link.symlink_to(folder.resolve(), target_is_directory=True)
        listening.bind(str(link / "socket"))
    return listening


def _with_folder(sandbox: Sandbox, folder: Path) -> Sandbox:
    """With what the program that asks needs, and nothing else of ours."""
    needed = (*programs((str(_python()),), {}), Mount(INSIDE, folder))
    return msgspec.structs.replace(sandbox, mounts=(*sandbox.mounts, *needed))


def _python() -> Path:
    """The interpreter itself, without the environment in which we run."""
    return Path(sys.executable).resolve()
