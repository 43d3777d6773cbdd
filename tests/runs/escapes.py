"""An agent that tries to get out, by everything it can think of, and says what came of each attempt.

Runs by itself, with the standard library alone. Each line of its output is `name<TAB>outcome`: `refused: why`, or what
it got. Arguments: a JSON document with the paths and the process that it is after, and which attempts to make.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

#: Nothing, while a test only looks at what is tried.
AIMS = (
    json.loads(sys.argv[1])
    if __name__ == "__main__"
    else dict.fromkeys(("project", "data", "other", "server", "git"), "0")
)
PROJECT, DATA, OTHER = Path(AIMS["project"]), Path(AIMS["data"]), Path(AIMS["other"])
SERVER, GIT = int(AIMS["server"]), Path(AIMS["git"])
HERE = Path.cwd()
LIBC = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The system said no."""


def run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise Refused((done.stderr or done.stdout).strip().splitlines()[-1:] or [f"code {done.returncode}"])
    return done.stdout


def write(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nescaped\n")
    return "written"


def replace(path: Path, content: str) -> str:
    """By way of a new file, as most programs write."""
    new = path.with_name(f"{path.name}.lock")
    new.write_text(content)
    new.replace(path)
    return "replaced"


def write_again(path: Path) -> str:
    """What is there already: nothing changes should it work."""
    path.write_text(path.read_text())
    return "written"


def call(name: str, *arguments: object) -> str:
    if getattr(LIBC, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "done"


def unlocked() -> str:
    """Capabilities in a namespace of one's own must not unlock a mount that came from outside."""
    return run("unshare", "--user", "--map-root-user", "--mount", "mount", "-o", "remount,rw,bind", "/usr")


def uncovered() -> str:
    return run("unshare", "--user", "--map-root-user", "--mount", "umount", "-l", str(GIT / "hooks"))


def through_a_link(target: Path) -> str:
    link = HERE / f"link-{len(names(HERE))}"
    link.symlink_to(target)
    return link.read_text() if link.is_file() else str(names(link))


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def socket_of(name: str) -> str:
    with socket.socket(socket.AF_UNIX) as found:
        found.connect(name)
    return "connected"


def ask_for_another_run() -> list[str]:
    """The socket at which another run asks; its name is short only from its own folder."""
    asked = []
    for folder in [each.parent for each in DATA.glob("runs/*/ask/socket")]:
        os.chdir(folder)
        try:
            asked.append(socket_of("socket"))
        finally:
            os.chdir(HERE)
    if not asked:
        raise Refused("there is none")
    return asked


def admin() -> Path:
    return Path(run("git", "rev-parse", "--absolute-git-dir").strip())


ATTEMPTS: dict[str, Callable[[], object]] = {
    "write into the project's own copy": lambda: write(PROJECT / "README.md"),
    "make a file in the project's own copy": lambda: write(PROJECT / "escaped"),
    "read an ignored secret of the project": (PROJECT / ".env").read_text,
    "write into another worktree": lambda: write(OTHER / "escaped"),
    "read another worktree": (OTHER / "README.md").read_text,
    "write into /usr": lambda: write(Path("/usr/escaped")),
    "write into /usr/local/bin": lambda: write(Path("/usr/local/bin/escaped")),
    "write into /etc": lambda: write(Path("/etc/escaped")),
    "write into the root folder": lambda: write(Path("/escaped")),
    "write a hook": lambda: write(GIT / "hooks" / "post-checkout"),
    "write the configuration": lambda: write(GIT / "config"),
    "configure by git": lambda: run("git", "config", "core.fsmonitor", "touch escaped"),
    "configure this worktree by git": lambda: run("git", "config", "--worktree", "core.fsmonitor", "touch escaped"),
    "write this worktree's configuration": lambda: write(admin() / "config.worktree"),
    "replace this worktree's configuration": lambda: replace(admin() / "config.worktree", "[core]\n"),
    "lead git to other data": lambda: replace(admin() / "commondir", f"{HERE}\n"),
    "lead git to another worktree": lambda: replace(admin() / "gitdir", f"{OTHER}/.git\n"),
    "forget for which branch it is": lambda: replace(admin() / "agentpane-branch", "main\n"),
    "rewrite the .git file": lambda: write(HERE / ".git"),
    "replace the .git file": lambda: replace(HERE / ".git", f"gitdir: {HERE}/evil\n"),
    "rename this worktree's record": lambda: admin().rename(admin().with_name("gone")),
    "borrow objects from elsewhere": lambda: write(GIT / "objects" / "info" / "alternates"),
    "remove the packs": lambda: [each.unlink() for each in (GIT / "objects" / "pack").iterdir()] or write(
        GIT / "objects" / "pack" / "escaped"),
    "move main by git": lambda: run("git", "update-ref", "refs/heads/main", "HEAD"),
    "move main by hand": lambda: replace(GIT / "refs" / "heads" / "main", "0" * 40 + "\n"),
    "move another task's branch": lambda: run("git", "update-ref", f"refs/heads/{AIMS['branch']}", "HEAD"),
    "pack a lie about main": lambda: write(GIT / "packed-refs"),
    "tag": lambda: run("git", "tag", "escaped"),
    "commit on main": lambda: run("git", "symbolic-ref", "HEAD", "refs/heads/main")
        + run("git", "-c", "user.name=x", "-c", "user.email=x", "commit", "--allow-empty", "-qm", "Escaped"),
    "read the data folder": lambda: names(DATA),
    "read the secret": (DATA / "secret_key").read_text,
    "read the database's password": (DATA / "postgres" / "password").read_text,
    "read the data folder through a link": lambda: through_a_link(DATA),
    "read the password through a link": lambda: through_a_link(DATA / "postgres" / "password"),
    "read the data folder through /proc": lambda: names(Path(f"/proc/{SERVER}/root{DATA}")),
    "read a key of ssh": (Path.home() / ".ssh" / "id_ed25519").read_text,
    "read the passwords of the system": lambda: Path("/etc/shadow").read_text(),
    "read the server's environment": lambda: Path(f"/proc/{SERVER}/environ").read_bytes(),
    "read the server's memory": lambda: os.open(f"/proc/{SERVER}/mem", os.O_RDONLY),
    "find the server in /proc": lambda: names(Path(f"/proc/{SERVER}")),
    "signal the server": lambda: os.kill(SERVER, 0),
    "end the server": lambda: os.kill(SERVER, signal.SIGTERM),
    "trace the server": lambda: call("ptrace", 16, SERVER, 0, 0),
    "remount /usr": lambda: run("mount", "-o", "remount,rw,bind", "/usr"),
    "remount the root": lambda: run("mount", "-o", "remount,rw", "/"),
    "remount the git data": lambda: run("mount", "-o", "remount,rw,bind", str(GIT)),
    "remount /usr in namespaces of its own": unlocked,
    "uncover the hooks in namespaces of its own": uncovered,
    "unmount what covers": lambda: call("umount2", str(HERE / ".git").encode(), 2),
    "mount a disk": lambda: run("mount", "-t", "tmpfs", "none", "/usr"),
    "leave for the machine's namespaces": lambda: run("nsenter", "--target", "1", "--mount", "ls", str(DATA)),
    "change the root": lambda: os.chroot("/proc/1/root"),
    "set who takes core dumps": lambda: write_again(Path("/proc/sys/kernel/core_pattern")),
    "set how many processes the machine may have": lambda: write_again(Path("/proc/sys/kernel/pid_max")),
    "press the magic key": lambda: Path("/proc/sysrq-trigger").write_text("h"),
    "make a device": lambda: os.mknod("disk", 0o660 | 0o060000, os.makedev(8, 0)),
    "read the disk": lambda: next(Path("/dev").glob("[sv]d[a-z]*")).read_bytes(),
    "load a module": lambda: call("init_module", b"", 0, b""),
    "set the clock": lambda: call("clock_settime", 0, bytes(16)),
    "become somebody else": lambda: os.setuid(12345),
    "ask for another run": ask_for_another_run,
    "change the program that asks": lambda: write_again(Path(os.environ["AGENTPANE_ASK"])),
    "replace the program that asks": lambda: replace(Path(os.environ["AGENTPANE_ASK"]), "#!/bin/sh\n"),
    "talk to the system's bus": lambda: socket_of("/run/dbus/system_bus_socket"),
    "talk to Docker": lambda: socket_of("/var/run/docker.sock"),
}  # fmt: skip


def outcome(attempt: Callable[[], object]) -> str:
    try:
        return f"got: {attempt()!r}"
    except (OSError, Refused, StopIteration) as error:
        return f"refused: {error or type(error).__name__}"


if __name__ == "__main__":
    for name in sys.argv[2:] or ATTEMPTS:
        print(f"{name}\t{outcome(ATTEMPTS[name])}".replace("\n", " "), flush=True)
