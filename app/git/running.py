"""Runs git: argument vectors, a scrubbed environment, its own process group, output that stays within bounds."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from app.git.confining import confinement
from app.git.environment import FLAGS, environment
from app.git.refusals import GitError, GitRefused
from app.processes import guard
from app.processes.sandbox import wrap

OLDEST = (2, 38)

#: Listings of 50,000 files are a few MiB; more than this is read in pieces with `stream`.
MOST_OUTPUT = 64 * 1024 * 1024
_MOST_STDERR = 64 * 1024
_CHUNK = 64 * 1024
_SECONDS_TO_END = 5.0

#: No command takes this long on its own: a filter that a repository configures hangs.
MOST_SECONDS = 600.0

Arg = str | bytes | Path


class Output(Struct, frozen=True):
    """How a git call ended."""

    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """Standard output as text without the last line's end."""
        return os.fsdecode(self.out).rstrip("\n")

    @property
    def fields(self) -> list[str]:
        """Standard output of a `-z` command, split at its NUL bytes."""
        return [os.fsdecode(field) for field in self.out.split(b"\0")[:-1]]


async def git(
    cwd: Path,
    *args: Arg,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,
    check: bool = True,
    index: Path | None = None,
    limit: int = MOST_OUTPUT,
    seconds: float = MOST_SECONDS,
) -> Output:
    """Run git in `cwd` and wait for its end.

    `index` is used instead of the working copy's own index. `check` raises `GitError` for a code other than 0;
    more than `limit` bytes of output, or than `seconds`, always does. Cancelling ends git the gentle way, so that it
    takes its lock files with it.
    """
    process = await _start(cwd, args, environment(env, index), PIPE if input is not None else DEVNULL)
    try:
        async with asyncio.timeout(seconds):
            out, err, _ = await asyncio.gather(
                _read(process.stdout, limit), _read_start(process.stderr), _feed(process, input)
            )
            code = await process.wait()
    except BaseException as interruption:
        await _end(process)
        if isinstance(interruption, TimeoutError):
            raise GitError(_shown(args), -1, f"took longer than {seconds:.0f} seconds") from interruption
        raise
    if out is None:
        raise GitError(_shown(args), code, f"more than {limit} bytes of output")
    if check and code:
        raise GitError(_shown(args), code, err.decode(errors="replace"))
    return Output(code, out, err)


async def stream(
    cwd: Path, *args: Arg, env: Mapping[str, str] | None = None, index: Path | None = None
) -> AsyncGenerator[bytes, None]:
    """git's output in pieces as it comes. Close it early (`contextlib.aclosing`) and git is ended."""
    process = await _start(cwd, args, environment(env, index), DEVNULL)
    assert process.stdout is not None
    errors = asyncio.create_task(_read_start(process.stderr))
    try:
        while chunk := await asyncio.wait_for(process.stdout.read(_CHUNK), MOST_SECONDS):
            yield chunk
        if code := await process.wait():
            raise GitError(_shown(args), code, (await errors).decode(errors="replace"))
    finally:
        if process.returncode is None:
            await _end(process)
        await errors


async def read_up_to(limit: int, cwd: Path, *args: Arg, env: Mapping[str, str] | None = None) -> tuple[bytes, bool]:
    """The first `limit` bytes of git's output, and whether there was more."""
    parts: list[bytes] = []
    size = 0
    async with contextlib.aclosing(stream(cwd, *args, env=env)) as chunks:
        async for chunk in chunks:
            parts.append(chunk)
            size += len(chunk)
            if size > limit:
                break
    return b"".join(parts)[:limit], size > limit


def git_now(
    cwd: Path, *args: Arg, index: Path | None = None, check: bool = True, keep_open: Sequence[int] = ()
) -> Output:
    """As `git`, for a thread that must not be interrupted; `keep_open` are descriptors that git inherits."""
    done = subprocess.run(
        _vector(cwd, args),
        env=environment(index=index),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        pass_fds=tuple(keep_open),
        check=False,
    )
    if check and done.returncode:
        raise GitError(_shown(args), done.returncode, done.stderr.decode(errors="replace"))
    return Output(done.returncode, done.stdout, done.stderr)


async def require_git() -> tuple[int, int]:
    """The version of git, once it is new enough; else `GitRefused` with a sentence."""
    try:
        answer = await git(Path("/"), "version")
    except FileNotFoundError as missing:
        raise GitRefused("git_missing", "git is not installed: AgentPane needs git 2.38 or newer.") from missing
    found = re.search(r"(\d+)\.(\d+)", answer.text)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version < OLDEST:
        raise GitRefused("git_too_old", f"{answer.text} is too old: AgentPane needs git 2.38 or newer.")
    return version


def _vector(cwd: Path, args: Sequence[Arg]) -> list[Arg]:
    # `-C` rather than the process's own folder: a folder that vanished is then git's error like any other.
    return ["git", *FLAGS, "-C", str(cwd), *(os.fspath(arg) for arg in args)]


async def _start(cwd: Path, args: Sequence[Arg], env: dict[str, str], stdin: int) -> Process:
    sandbox = confinement(cwd, args, env)
    vector = wrap([os.fsdecode(word) for word in _vector(cwd, args)], sandbox) if sandbox else _vector(cwd, args)
    return await asyncio.create_subprocess_exec(
        *vector, stdin=stdin, stdout=PIPE, stderr=PIPE, env=env, start_new_session=True
    )


async def _read(pipe: asyncio.StreamReader | None, limit: int) -> bytes | None:
    """Everything, or None once it is more than `limit`; the rest is drained so that git can end."""
    assert pipe is not None
    parts: list[bytes] = []
    size = 0
    while chunk := await pipe.read(_CHUNK):
        size += len(chunk)
        if size <= limit:
            parts.append(chunk)
    return b"".join(parts) if size <= limit else None


async def _read_start(pipe: asyncio.StreamReader | None) -> bytes:
    assert pipe is not None
    start = b""
    while chunk := await pipe.read(_CHUNK):
        start = (start + chunk)[:_MOST_STDERR]
    return start


async def _feed(process: Process, data: bytes | None) -> None:
    if process.stdin is None or data is None:
        return
    # git may end before it has read all; its code tells why.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()


async def _end(process: Process) -> None:
    """End git and all it has started. SIGTERM first: git then removes its own lock files."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        behind_walls = guard.behind_walls(process.pid) if sign == signal.SIGTERM else set()
        for pid in behind_walls or {-process.pid}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_END):
                await process.wait()
                return


def _shown(args: Sequence[Arg]) -> list[str]:
    return [os.fsdecode(os.fspath(arg)) for arg in args]
