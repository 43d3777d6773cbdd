"""Look for, recognise and end the processes of a run, also those of an earlier life of this server."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil

from app.processes.guard import LINUX, MARKER, descendants, stat_fields

#: Seconds in which a whole tree comes to a standstill.
FREEZE_S = 5.0


def start_ticks(pid: int) -> int | None:
    """When `pid` started, in the system's own unit: with the pid it names one process for this boot. None if gone."""
    if LINUX:
        fields = stat_fields(pid)
        return int(fields[19]) if fields else None
    try:
        return int(psutil.Process(pid).create_time() * 1000)
    except psutil.Error:
        return None


def boot_id() -> str:
    """Names this boot of the machine; pids of another boot mean nothing."""
    if LINUX:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return str(int(psutil.boot_time()))


def is_alive(pid: int, ticks: int | None) -> bool:
    """Whether exactly that process still runs; a zombie does not. Without `ticks` the pid alone decides."""
    if LINUX:
        fields = stat_fields(pid)
        return bool(fields) and fields[0] not in "ZX" and ticks in (None, int(fields[19]))
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE and ticks in (None, start_ticks(pid))
    except psutil.Error:
        return False


async def end_tree(pid: int, ticks: int | None, marker: str, grace_s: float = 5.0) -> None:
    """Ask `pid` to end, make it end after `grace_s` seconds, then sweep: returns when nothing of run `marker` lives.

    A pid that now belongs to another process is left alone.
    """
    if is_alive(pid, ticks):
        send(pid, signal.SIGTERM)
        if not await wait_gone(pid, ticks, grace_s):
            below = descendants(pid) if LINUX else set()
            for each in (pid, *below):
                send(each, signal.SIGKILL)
            await wait_gone(pid, ticks, grace_s)
    await sweep(marker)


async def freeze(guard_pid: int, marker: str, timeout_s: float = FREEZE_S) -> bool:
    """Make everything of run `marker` but its guard stand still; says whether anything is left that does.

    What is in the middle of a system call stands still after it; longer than `timeout_s` seconds is not waited.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            while moving := await asyncio.to_thread(_moving, guard_pid, marker):
                for pid in moving:  # What one of them began meanwhile is found by the next look.
                    send(pid, signal.SIGSTOP)
                await asyncio.sleep(0.01)
    return bool(await asyncio.to_thread(_members, guard_pid, marker))


async def thaw(guard_pid: int, marker: str) -> None:
    """Let everything of run `marker` go on."""
    for pid in await asyncio.to_thread(_members, guard_pid, marker):
        send(pid, signal.SIGCONT)


def _moving(guard_pid: int, marker: str) -> list[int]:
    return [pid for pid in _members(guard_pid, marker) if not stands_still(pid)]


def _members(guard_pid: int, marker: str) -> set[int]:
    """The living processes of a run, without its guard."""
    below = descendants(guard_pid) if LINUX else set()
    return {pid for pid in {*below, *find_marked(marker)} if pid != guard_pid and is_alive(pid, None)}


def stands_still(pid: int) -> bool:
    """Whether the process is stopped, or gone."""
    if LINUX:
        fields = stat_fields(pid)
        return not fields or fields[0] in "TtZX"
    try:
        return psutil.Process(pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True


def find_marked(run_id: str) -> list[int]:
    """Pids of every process whose environment says it belongs to run `run_id`, ours excepted."""
    marker = f"{MARKER}={run_id}"
    own = os.getpid()
    if LINUX:
        return [pid for pid in _proc_pids() if pid != own and marker.encode() in _proc_environ(pid)]
    return [p.pid for p in psutil.process_iter() if p.pid != own and _environ(p).get(MARKER) == run_id]


def marked_runs() -> dict[str, list[int]]:
    """The runs that any process is marked with, each with its pids; our own mark and unreadable processes left out."""
    found: dict[str, list[int]] = {}
    for pid in _proc_pids() if LINUX else psutil.pids():
        run_id = _mark_of(pid) if pid != os.getpid() else None
        if run_id:
            found.setdefault(run_id, []).append(pid)
    return found


def working_in(folder: Path) -> list[int]:
    """Pids of the processes whose current folder is `folder` or lies in it, as far as this user may see."""
    found = []
    for pid in _proc_pids() if LINUX else psutil.pids():
        if (place := _folder_of(pid)) is not None and place.is_relative_to(folder):
            found.append(pid)
    return found


def _folder_of(pid: int) -> Path | None:
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")) if LINUX else Path(psutil.Process(pid).cwd())  # noqa: PTH115
    except (psutil.Error, OSError):
        return None


def _mark_of(pid: int) -> str | None:
    if LINUX:
        mark = f"{MARKER}=".encode()
        marks = (entry[len(mark) :].decode(errors="replace") for entry in _proc_environ(pid) if entry.startswith(mark))
        return next(marks, None)
    try:
        return _environ(psutil.Process(pid)).get(MARKER)
    except psutil.Error:
        return None


async def sweep(run_id: str, grace_s: float = 1.0) -> int:
    """End every process marked with `run_id`; returns how many there were, when none is left."""
    found = {pid: start_ticks(pid) for pid in await asyncio.to_thread(find_marked, run_id)}
    swept = len(found)
    number = signal.SIGTERM
    while found:
        await _end_all(found.items(), number, grace_s)
        number = signal.SIGKILL
        found = {pid: start_ticks(pid) for pid in await asyncio.to_thread(find_marked, run_id)}
    return swept


async def wait_gone(pid: int, ticks: int | None, timeout_s: float | None) -> bool:
    """Wait until that process has ended, at most `timeout_s` seconds; says whether it has."""
    try:
        async with asyncio.timeout(timeout_s):
            if sys.platform == "linux" and hasattr(os, "pidfd_open"):
                await _pidfd_readable(pid)
            pause = 0.02
            while is_alive(pid, ticks):  # A system without pidfd tells nobody.
                await asyncio.sleep(pause)
                pause = min(pause * 2, 0.25)
    except TimeoutError:
        return not is_alive(pid, ticks)
    return True


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may have gone."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


async def _end_all(processes: Iterable[tuple[int, int | None]], number: int, grace_s: float) -> None:
    waits = []
    for pid, ticks in processes:
        if is_alive(pid, ticks):
            send(pid, number)
            send(pid, signal.SIGCONT)  # What stands still hears nothing else.
            waits.append(wait_gone(pid, ticks, grace_s))
    await asyncio.gather(*waits)


async def _pidfd_readable(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    loop.add_reader(descriptor, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _proc_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - no Path for each process


def _proc_environ(pid: int) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - the same
            return file.read().split(b"\0")
    except OSError:
        return []


def _environ(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}
