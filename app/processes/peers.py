"""Who asks from this machine: a process that we started ourselves, such as an agent, or somebody else."""

import os
from collections.abc import Iterable
from pathlib import Path

from app.processes.guard import LINUX, below

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


def is_our_own(client_port: int, server_port: int) -> bool:
    """Whether the connection from `client_port` to our `server_port`, both of this machine, comes from below us.

    True as well where nobody holds its other end any more: who does not wait for the answer may be hiding. Always
    False where the system does not tell (it is no Linux).
    """
    if not LINUX:
        return False
    held = _inodes(client_port, server_port)
    return not held or any(_holds(pid, held) for pid in below(os.getpid()))


def _inodes(local: int, remote: int) -> set[str]:
    """The sockets of this machine with these ports; one that no process holds has none."""
    ends = (f":{local:04X}", f":{remote:04X}")
    found = set()
    for line in _lines():
        _, here, there, *rest = line.split()
        if here.endswith(ends[0]) and there.endswith(ends[1]):
            found.add(rest[6])
    return found - {"0"}


def _lines() -> Iterable[str]:
    for table in _TABLES:
        if Path(table).exists():
            yield from Path(table).read_text().splitlines()[1:]


def _holds(pid: int, inodes: set[str]) -> bool:
    wanted = {f"socket:[{inode}]" for inode in inodes}
    try:
        return any(_target(entry.path) in wanted for entry in os.scandir(f"/proc/{pid}/fd"))
    except OSError:  # It has ended, or it is not ours to look into.
        return False


def _target(link: str) -> str:
    try:
        return os.readlink(link)  # noqa: PTH115 - no Path for each descriptor
    except OSError:
        return ""
