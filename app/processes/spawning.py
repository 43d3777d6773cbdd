"""Start a program under a guard: exactly the given environment, a session of its own, and an end for its whole tree."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from app.processes import guard, trees
from app.processes.lines import LineReader
from app.processes.sandbox import Limits, Sandbox, wrap

GUARD = Path(guard.__file__).resolve()
_WRAPPER = """#!/bin/sh
exec "$GUARD_PYTHON" -I "$GUARD" "$GUARD_ORDER" "$@"
"""
#: Bytes of one line of output: a message with a large file in it. Of what is longer the rest is dropped, unless the
#: caller needs more.
MAX_LINE = 8 * 1024 * 1024
#: Seconds between asking a tree to end and making it end. Two seconds after a stop nothing may be left; Claude Code
#: takes 1.4 to end by itself.
GRACE_S = 1.5


class GuardOrder(Struct, frozen=True, kw_only=True):
    """What a guard is told, by a file that only its owner can read and that the guard deletes."""

    argv: list[str]
    env: dict[str, str]
    #: The guard ends everything when this process is gone.
    parent: int
    grace_s: float = GRACE_S
    #: Names taken over from the guard's own environment.
    inherit: tuple[str, ...] = ()
    limits: Limits | None = None
    #: Whether `argv` begins with what builds a sandbox.
    has_walls: bool = False


class GuardedProcess:
    """A running program and everything it started, led by its guard."""

    def __init__(
        self, process: asyncio.subprocess.Process, marker: str, order_path: Path, max_line: int = MAX_LINE
    ) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._marker = marker
        self._order_path = order_path
        #: The guard's pid: the root of the run's process tree.
        self.pid = process.pid
        self.start_ticks = trees.start_ticks(process.pid)
        self.stdout = LineReader(process.stdout, max_line)
        self.stderr = LineReader(process.stderr, max_line=16 * 1024)

    async def write(self, text: str) -> None:
        """Give the whole of standard input and close it. A program that does not read it is no error."""
        stdin = self._process.stdin
        if stdin is None:
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            stdin.write(text.encode())
            await stdin.drain()
        stdin.close()

    async def say(self, text: str) -> None:
        """Write to standard input and leave it open; waits while the program does not read. OSError when it is gone."""
        assert self._process.stdin is not None, "spawn was told that there is input"
        self._process.stdin.write(text.encode())
        await self._process.stdin.drain()

    async def wait(self) -> int:
        """The program's exit code, negative for the signal that ended it; nothing of the run is left then."""
        await trees.wait_gone(self.pid, self.start_ticks, None)
        await trees.sweep(self._marker)
        return await self._process.wait()

    async def freeze(self) -> bool:
        """Make the program and all that came from it stand still; False when nothing is left that could."""
        return await trees.freeze(self.pid, self._marker)

    async def thaw(self) -> None:
        """Let what stands still go on."""
        await trees.thaw(self.pid, self._marker)

    async def end(self) -> None:
        """End the whole tree; returns when nothing of it is left."""
        await trees.end_tree(self.pid, self.start_ticks, self._marker, GRACE_S + 2)

    @property
    def start_error(self) -> str | None:
        """Why the program could not even be started, or None."""
        return read_start_error(self._order_path)

    @property
    def excess(self) -> str | None:
        """What limit the program was ended for, as a sentence, or None."""
        return read_excess(self._order_path.parent)


async def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    state_dir: Path,
    marker: str,
    has_input: bool = False,
    sandbox: Sandbox | None = None,
    max_line: int = MAX_LINE,
) -> GuardedProcess:
    """Start `argv` in `cwd` with exactly `env` and the run's marker. Raises OSError when not even the guard starts.

    `state_dir` is a folder of this run alone. With `has_input` the caller owes one `write()`, or talks by `say()`.
    """
    order_path = write_order(state_dir, list(argv), env, marker, sandbox=sandbox)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(GUARD), str(order_path),
        stdin=PIPE if has_input else DEVNULL, stdout=PIPE, stderr=PIPE,
        cwd=cwd, env={guard.MARKER: marker}, start_new_session=True,
    )  # fmt: skip
    return GuardedProcess(process, marker, order_path, max_line)


def write_wrapper(
    state_dir: Path,
    argv: list[str],
    env: Mapping[str, str],
    marker: str,
    inherit: tuple[str, ...],
    sandbox: Sandbox | None = None,
) -> tuple[Path, dict[str, str]]:
    """For a library that starts its program itself: a path to start instead, and the variables it must hand on.

    Starting the path runs `argv` under a guard with exactly `env`, the marker, and the variables named by `inherit`.
    """
    order_path = write_order(state_dir, argv, env, marker, inherit, sandbox)
    path = state_dir / "guarded"
    path.write_text(_WRAPPER)
    path.chmod(0o700)
    handed_on = {"GUARD_PYTHON": sys.executable, "GUARD": str(GUARD), "GUARD_ORDER": str(order_path)}
    return path, {**handed_on, guard.MARKER: marker}


def read_guard_pid(state_dir: Path) -> int | None:
    """The pid of the guard that took its order from `state_dir`, or None when none has yet."""
    path = state_dir / "guard.pid"
    return int(path.read_text()) if path.exists() else None


def write_order(
    state_dir: Path,
    argv: list[str],
    env: Mapping[str, str],
    marker: str,
    inherit: tuple[str, ...] = (),
    sandbox: Sandbox | None = None,
) -> Path:
    """Write the guard's order, readable by its owner alone, and return its path."""
    confined = _confinement(argv, sandbox, state_dir)
    more = sandbox.variables if sandbox else {}
    order = GuardOrder(env={**env, **more, guard.MARKER: marker}, parent=os.getpid(), inherit=inherit, **confined)
    path = state_dir / "guard.json"
    for old in (error_path(path), path.with_suffix(".pid"), path.with_suffix(".excess")):
        old.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(order))
    return path


def _confinement(argv: list[str], sandbox: Sandbox | None, state_dir: Path) -> dict[str, Any]:
    if sandbox is None:
        return {"argv": argv}
    walled = wrap(argv, sandbox, state_dir / "sandbox")
    return {"argv": walled, "limits": sandbox.limits, "has_walls": sandbox.has_walls}


def read_excess(state_dir: Path) -> str | None:
    """What limit the guard of `state_dir` ended its program for, as a sentence, or None."""
    path = state_dir / "guard.excess"
    return path.read_text() if path.exists() else None


def error_path(order_path: Path) -> Path:
    """Where the guard says that the program could not be started."""
    return order_path.with_suffix(".error")


def read_start_error(order_path: Path) -> str | None:
    """Why the program of that order could not be started, or None."""
    path = error_path(order_path)
    return path.read_text() if path.exists() else None
