"""The parent of one run's program: whatever happens to us, no process of the run outlives it.

Started as `python -I guard.py SPEC [more arguments]`; standard library only, and no import from the application,
because it must start fast and stand alone. SPEC is a JSON file, deleted once read, since its environment may hold keys
that must not show in a process list. The guard ends the run's whole tree when the program ends, when it is asked to
(TERM, INT, HUP), and when the server that started it is gone, however that died.

On Linux it is the subreaper of the run: a tool that leaves its session or its parent stays a descendant. Elsewhere the
program's group and the environment marker take that place.

It stays outside of a sandbox. What the limits of a run are about as a whole, memory and processes, it counts twice a
second, since the kernel's own limits count each process, or a whole user.
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

#: Environment variable that every process of a run inherits.
MARKER = "AGENTPANE_RUN_ID"
LINUX = sys.platform == "linux"
NOT_STARTED = 127

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LEFTOVER_GRACE_S = 1.0
#: Seconds between two looks at what a run with limits uses.
_LOOK_S = 0.5
#: What we, or Python itself, have changed, and a program must find as usual.
_OURS_ALONE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ)
#: Files that one process may have open.
_OPEN_FILES = 16_384
_MIB = 1024 * 1024
_ASKED: list[int] = []


def main(spec_path: Path, more_arguments: list[str]) -> NoReturn:
    """Run the program of `spec_path` and end as it ended: with its code, or by the same signal."""
    spec = json.loads(spec_path.read_text())
    _shed_environment(spec["inherit"])
    spec_path.unlink()
    spec_path.with_suffix(".pid").write_text(str(os.getpid()))
    wake = _listen()
    _become_reaper()
    parent = _watch(spec["parent"])
    child = Child([*spec["argv"], *more_arguments], spec, spec_path.with_suffix(".error"))
    _let_go_of_stdio()
    excess = ""
    while child.code is None and not _ASKED and not excess and os.getppid() == spec["parent"]:
        _wait(wake, parent, _LOOK_S if spec["limits"] else 1.0)
        child.reap()
        excess = child.code is None and spec["limits"] and beyond(spec["limits"])
    if excess:
        spec_path.with_suffix(".excess").write_text(excess)
        _signal(os.kill, child.pid, signal.SIGKILL)  # With walls, everything inside ends with it at once.
    end_tree(child, 0 if excess else spec["grace_s"] if child.code is None else _LEFTOVER_GRACE_S, wake)
    _end_as(child.code if child.code is not None else NOT_STARTED)


class Child:
    """The program itself, in a session of its own."""

    def __init__(self, argv: list[str], spec: dict[str, Any], error_file: Path) -> None:
        self.code: int | None = None
        self._has_walls: bool = spec["has_walls"]
        started, failed = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _become(argv, _environment(spec), spec["limits"], failed)
        os.close(failed)
        if reason := os.read(started, 4096):
            error_file.write_bytes(reason)
        os.close(started)

    def reap(self) -> None:
        """Collect every ended descendant that came to us; remember the program's own end."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.code = os.waitstatus_to_exitcode(status)

    def terminate(self) -> None:
        """Ask the program to end. Its walls must outlive it: they take everything with them at once."""
        if self.code is not None:
            return
        inside = behind_walls(self.pid) if self._has_walls else set()
        if inside:
            _signal_all(inside, signal.SIGTERM)
            _signal_all(descendants(os.getpid()), signal.SIGCONT)
        else:
            _signal(os.killpg, self.pid, signal.SIGTERM)
            _signal(os.killpg, self.pid, signal.SIGCONT)  # What stands still hears nothing else.


def behind_walls(walls: int) -> set[int]:
    """The program in the sandbox whose outermost process is `walls`, with its group; none where that is no sandbox.

    Without the first process inside, which stands there for the system: it ends after all others.
    """
    if not LINUX:
        return set()
    fields = {pid: stat_fields(pid) for pid in descendants(walls)}
    return {pid for pid, found in fields.items() if found and found[1] != str(walls) and found[2] == str(walls)}


def end_tree(child: Child, grace_s: float, wake: int) -> None:
    """TERM the program, then what it left behind; KILL after `grace_s` seconds; return when nothing is left."""
    deadline = time.monotonic() + grace_s
    asked: set[int] = set()
    child.terminate()
    while rest := run_processes(child.pid):
        if time.monotonic() >= deadline:
            _signal_all(rest, signal.SIGKILL)
        elif child.code is not None:
            _signal_all(rest - asked, signal.SIGTERM)
            _signal_all(rest - asked, signal.SIGCONT)
            asked |= rest
        _wait(wake, None, 0.05)
        child.reap()


def beyond(limits: dict[str, int]) -> str:
    """What the run uses more of than it may, as a sentence; empty when nothing."""
    pids = below(os.getpid())
    if len(pids) > limits["processes"]:
        return f"The run had {len(pids)} processes and was ended: {limits['processes']} are its limit."
    used = sum(_memory(pid) for pid in pids) // _MIB
    if used > limits["memory_mb"]:
        return f"The run used {used} MiB of memory and was ended: {limits['memory_mb']} MiB are its limit."
    return ""


def below(root: int) -> set[int]:
    """As `descendants`, without a look at every process of the machine where the kernel lists children."""
    found: set[int] = set()
    wanted = [root]
    try:
        while wanted:
            pid = wanted.pop()
            for task in _tasks(pid):
                children = [int(each) for each in Path(task, "children").read_text().split()]
                wanted += [each for each in children if each not in found]
                found.update(children)
    except FileNotFoundError:  # A kernel without that list, or a process that has just ended.
        return descendants(root) if LINUX else set()
    return found


def _tasks(pid: int) -> list[str]:
    try:
        return [entry.path for entry in os.scandir(f"/proc/{pid}/task")]
    except OSError:
        return []


def _memory(pid: int) -> int:
    """Bytes that are its own: neither files nor what it shares."""
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * resource.getpagesize()


def run_processes(child_pid: int) -> set[int]:
    """Every living process of this run but the guard."""
    return descendants(os.getpid()) if LINUX else _marked_or_grouped(child_pid)


def descendants(root: int) -> set[int]:
    """Pids of the whole tree below `root` (Linux)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := stat_fields(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: set[int] = set()
    wanted = [root]
    while wanted:
        below = [pid for pid in children.get(wanted.pop(), []) if pid not in found]
        found.update(below)
        wanted.extend(below)
    return found


def stat_fields(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on (state, parent, group, …); none when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _marked_or_grouped(child_pid: int) -> set[int]:
    import psutil

    found = set()
    for process in psutil.process_iter():
        try:
            marked = process.environ().get(MARKER) == os.environ.get(MARKER)
            if process.pid != os.getpid() and (marked or os.getpgid(process.pid) == child_pid):
                found.add(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def _shed_environment(inherit: list[str]) -> None:
    """Start anew without what a library handed on from the server's environment: anybody may read ours in /proc."""
    kept = {name: os.environ[name] for name in (MARKER, *inherit) if name in os.environ}
    if os.environ.keys() - kept.keys() - {"LC_CTYPE"}:  # Python itself may set LC_CTYPE.
        os.execve(sys.executable, [sys.executable, "-I", *sys.argv], kept)  # noqa: S606 - ourselves, again


def _listen() -> int:
    """A descriptor that becomes readable on every signal, so that nothing is missed while we wait."""
    wake, woken = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda got, _frame: _ASKED.append(got))
    signal.signal(signal.SIGCHLD, lambda _got, _frame: None)
    return wake


def _become_reaper() -> None:
    if os.getpid() != os.getsid(0):
        os.setsid()
    if LINUX:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _watch(parent: int) -> int | None:
    """A descriptor that becomes readable when `parent` is gone, where the system has such a thing."""
    try:
        return os.pidfd_open(parent) if LINUX else None
    except OSError:
        return None


def _environment(spec: dict[str, Any]) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in spec["inherit"] if name in os.environ}
    return {**inherited, **spec["env"]}


def _become(argv: list[str], env: dict[str, str], limits: dict[str, int] | None, failed: int) -> NoReturn:
    try:
        os.setsid()
        _limit(limits)
        for number in _OURS_ALONE:
            signal.signal(number, signal.SIG_DFL)
        if LINUX:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.execvpe(argv[0], argv, env)  # noqa: S606 - an argument vector, and no shell is the point
    except (OSError, ValueError) as error:
        os.write(failed, (getattr(error, "strerror", None) or str(error)).encode())
    finally:
        os._exit(NOT_STARTED)


def _limit(limits: dict[str, int] | None) -> None:
    """What the kernel itself holds each process to."""
    if limits is None:
        return
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_DATA: limits["memory_mb"] * _MIB,
        resource.RLIMIT_FSIZE: limits["file_mb"] * _MIB,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
    }
    for kind, most in wanted.items():
        _, hard = resource.getrlimit(kind)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (least, least))


def _let_go_of_stdio() -> None:
    """So that readers and writers see the program's own ends of the pipes close, not ours."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def _end_as(code: int) -> NoReturn:
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _wait(wake: int, parent: int | None, seconds: float) -> None:
    select.select([wake] if parent is None else [wake, parent], [], [], seconds)
    with contextlib.suppress(BlockingIOError):
        os.read(wake, 4096)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _signal_all(pids: set[int], number: int) -> None:
    for pid in pids:
        _signal(os.kill, pid, number)


def _signal(send: Any, target: int, number: int) -> None:
    # It ended by itself, or belongs to another user since: the next look tells.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        send(target, number)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
