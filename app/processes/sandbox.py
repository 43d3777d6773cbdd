"""Walls around a program, built by bubblewrap: of the machine's files it has those that are named, and no others.

It has processes of its own, no capability, and no way to one. The network it shares with us: it needs its model.
"""

import functools
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

#: Seconds in which bubblewrap shows that it works here.
TRY_S = 10.0
MIB = 1024 * 1024
_NAMESPACES = (
    "--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
    "--die-with-parent", "--cap-drop", "ALL",
)  # fmt: skip
OLD_PLACES = tuple(Path(name) for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"))
#: Files of the kernel that root may write without any capability, such as the program that takes core dumps.
_KERNEL = ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi", "mtrr")


class Limits(Struct, frozen=True, kw_only=True):
    """What a program and all that it starts may use."""

    #: MiB of all its processes together; one alone cannot ask for more either.
    memory_mb: int = 8192
    #: Of all that live at one time.
    processes: int = 1000
    #: MiB of one file that it writes.
    file_mb: int = 4096


class Mount(Struct, frozen=True):
    """A file or folder that is seen inside at `place`."""

    place: Path
    #: Where it lies on the machine. None: an empty folder, whatever lies there, in which other mounts may lie.
    source: Path | None
    can_write: bool = False

    @property
    def is_closed(self) -> bool:
        """Whether it is empty and stays so."""
        return self.source is None and not self.can_write


class Sandbox(Struct, frozen=True, kw_only=True):
    """How one program is confined."""

    #: bubblewrap's own path; empty: there are no walls, and the limits alone hold.
    program: str
    mounts: tuple[Mount, ...] = ()
    limits: Limits = Limits()
    #: The program's home folder: one of the run alone, on which `mounts` may lay what it keeps.
    home: Path | None = None
    #: Folders in which what is written is lost with the run, though they are there already.
    forgotten: tuple[Path, ...] = ()
    #: Whether it sees its own processes in `/proc`; a short-lived tool does without, and starts sooner.
    has_proc: bool = True
    #: Variables for the program on top of its environment.
    variables: Mapping[str, str] = {}

    @property
    def has_walls(self) -> bool:
        """Whether the program sees less than its user may."""
        return bool(self.program)


class Found(Struct, frozen=True):
    """bubblewrap, if it works here: else a part of a sentence that says why not."""

    program: str = ""
    why_not: str = ""


def writable(*paths: Path) -> tuple[Mount, ...]:
    """These as they are."""
    return tuple(Mount(path, path, can_write=True) for path in paths)


def readable(*paths: Path) -> tuple[Mount, ...]:
    """These, and nothing in them can be changed."""
    return tuple(Mount(path, path) for path in paths)


@functools.cache
def available() -> Found:
    """Whether a sandbox can be had, found out once by making one: a container may forbid what it needs."""
    program = shutil.which("bwrap")
    if program is None:
        return Found(why_not="bubblewrap is not installed")
    command = [program, *_NAMESPACES, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--", "true"]
    try:
        tried = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=TRY_S, stdin=subprocess.DEVNULL, env={}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Found(why_not=f"bubblewrap does not work here: {error}")
    if tried.returncode:
        said = tried.stderr.strip().splitlines()[-1:] or [f"exit code {tried.returncode}"]
        return Found(why_not=f"bubblewrap does not work here: {said[0]}")
    return Found(program=program)


def wrap(argv: Sequence[str], sandbox: Sandbox, scratch: Path | None = None) -> list[str]:
    """The argument vector that runs `argv` inside, in the folder in which it is started.

    `scratch`, a folder of this run alone, gives `/tmp` and the home their place on disk; without it they are small
    and in memory.
    """
    if not sandbox.has_walls:
        return list(argv)
    mounts = sorted(_all(sandbox, scratch), key=lambda mount: len(mount.place.parts))  # What holds others comes first.
    laid = [word for mount in mounts for word in _lay(mount)]
    closed = [word for mount in mounts if mount.is_closed for word in ("--remount-ro", str(mount.place))]
    return [sandbox.program, *_NAMESPACES, *_system(sandbox.has_proc), *laid, *closed, "--remount-ro", "/", "--", *argv]


def _system(has_proc: bool) -> Iterable[str]:
    yield from ("--dev", "/dev", "--symlink", "/tmp", "/var/tmp")  # noqa: S108 - the sandbox's own
    yield from _old_places()
    if has_proc:
        yield from ("--proc", "/proc")
        for name in _KERNEL:
            yield from ("--ro-bind-try", f"/proc/{name}", f"/proc/{name}")


@functools.cache
def _old_places() -> tuple[str, ...]:
    """Folders that with a merged `/usr` are links."""
    there = [place for place in OLD_PLACES if place.exists()]
    return tuple(
        word
        for place in there
        for word in (
            ("--symlink", str(place.readlink()), str(place))
            if place.is_symlink()
            else ("--ro-bind", str(place), str(place))
        )
    )


def _all(sandbox: Sandbox, scratch: Path | None) -> Iterable[Mount]:
    yield _own(Path("/tmp"), scratch)  # noqa: S108
    if sandbox.home is not None:
        yield _own(sandbox.home, scratch)
    yield from sandbox.mounts
    for number, place in enumerate(sandbox.forgotten):
        yield _own(place, scratch, f"forgotten-{number}")


def _own(place: Path, scratch: Path | None, name: str = "") -> Mount:
    if scratch is None:
        return Mount(place, None, can_write=True)
    folder = scratch / (name or f"own-{place.name}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Mount(place, folder, can_write=True)


def _lay(mount: Mount) -> tuple[str, ...]:
    if mount.source is None:
        return ("--size", str(64 * MIB), "--tmpfs", str(mount.place))
    return ("--bind-try" if mount.can_write else "--ro-bind-try", str(mount.source), str(mount.place))
