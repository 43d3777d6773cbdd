"""Which version a program is: asked once with `--version`, in the background, and remembered for some minutes.

Nothing waits long for the answer: what is not told yet is told the next time.
"""

import asyncio
import contextlib
import os
import re
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterable, Mapping

from msgspec import Struct

#: Seconds in which a program has to answer, and for which its answer is used.
ANSWER_S = 10.0
FRESH_S = 300.0
#: Seconds for which somebody who asks waits.
PATIENCE_S = 1.5
#: Programs that are asked at one time, bytes that are read of an answer, and characters of a version.
_AT_ONCE = 4
_MOST = 4096
_LONGEST = 40
#: Nothing else reaches a program that is only asked who it is: no key and no address.
_NAMES = ("PATH", "HOME", "LANG", "TMPDIR")
_VERSION = re.compile(r"\d+\.\d+[\w.+-]*")


class _Asked(Struct, frozen=True):
    at: float
    #: When the file was changed last: an update is asked anew.
    changed_ns: int
    answer: asyncio.Task[str]


_asked: dict[str, _Asked] = {}


async def versions(programs: Iterable[str], env: Mapping[str, str], patience_s: float = PATIENCE_S) -> dict[str, str]:
    """The version of each of these programs, absolute paths; without those that tell none, or not within that time."""
    turns = asyncio.Semaphore(_AT_ONCE)
    asked = {path: _ask_once(path, env, turns) for path in dict.fromkeys(programs) if path.startswith("/")}
    if asked:
        await asyncio.wait(asked.values(), timeout=patience_s)
    return {path: answer.result() for path, answer in asked.items() if answer.done() and answer.result()}


def _ask_once(path: str, env: Mapping[str, str], turns: asyncio.Semaphore) -> asyncio.Task[str]:
    known, changed = _asked.get(path), _changed(path)
    loop = asyncio.get_running_loop()
    if known and known.changed_ns == changed and known.answer.get_loop() is loop and _is_fresh(known):
        return known.answer
    asking = loop.create_task(_ask(path, {name: env[name] for name in _NAMES if name in env}, turns))
    _asked[path] = _Asked(time.monotonic(), changed, asking)
    return asking


def _is_fresh(known: _Asked) -> bool:
    return not known.answer.done() or time.monotonic() - known.at < FRESH_S


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - follows links, as a start does
    except OSError:
        return 0


async def _ask(path: str, env: Mapping[str, str], turns: asyncio.Semaphore) -> str:
    """The version, or nothing where the program says none, fails or hangs. Never raises."""
    async with turns:
        try:
            process = await asyncio.create_subprocess_exec(
                path, "--version", env=dict(env), cwd="/", stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        except OSError:
            return ""
        try:
            async with asyncio.timeout(ANSWER_S):
                assert process.stdout is not None
                said = await _read(process.stdout)
                await process.wait()
        except TimeoutError:
            return ""
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        found = _VERSION.search(said)
        return found[0][:_LONGEST] if found and process.returncode == 0 else ""


async def _read(pipe: asyncio.StreamReader) -> str:
    """The beginning of an answer; the rest is drained, so that the program can end."""
    said = b""
    while piece := await pipe.read(_MOST):
        said = (said + piece)[:_MOST]
    return said.decode(errors="replace")
