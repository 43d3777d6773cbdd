"""The folder of the embedded server: its password, its cluster, its settings and the note of who serves it."""

import asyncio
import os
import secrets
import shutil
import signal
from pathlib import Path

import psutil
from msgspec import Struct

from app.postgres.binaries import find_binaries, major_version
from app.postgres.errors import PostgresError
from app.postgres.privileges import before_exec, give_away

USER = DATABASE = "agentpane"
#: Nothing of our environment reaches PostgreSQL: PGOPTIONS or a broken locale would change what it does.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

_INITDB_SECONDS = 120
_LOG_BYTES = 5_000_000
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "40",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_max_workers": "1",
    "max_worker_processes": "2",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Rows and statements can hold secrets: the log names the error and nothing of the data.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class Postmaster(Struct, frozen=True):
    """What `postmaster.pid` says about a server."""

    pid: int
    port: int
    status: str


class Cluster:
    """The files below one folder, by absolute path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "cluster"
        self.log = self.folder / "postgres.log"
        self.lock = self.folder / "owner.lock"
        self._password = self.folder / "password"
        self._port = self.folder / "port"

    @property
    def password(self) -> str:
        """The password of the one user. Raises `PostgresError` when its file is gone."""
        try:
            return self._password.read_text()
        except OSError:
            raise PostgresError(
                f"The password of the embedded database cannot be read from {self._password}."
            ) from None

    def url(self, port: int) -> str:
        """The address for asyncpg, with the password: not for logs."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{port}/{DATABASE}"

    @property
    def last_port(self) -> int:
        """The port of the last start; 0 when there was none."""
        try:
            return int(self._port.read_text())
        except (OSError, ValueError):
            return 0

    @last_port.setter
    def last_port(self, port: int) -> None:
        self._port.write_text(f"{port}\n")

    def make_folder(self) -> None:
        """Make the folder, closed to other users; the folders above it stay as they are."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        give_away(self.folder)

    async def prepare(self) -> Path:
        """Make the cluster where there is none; returns the folder of the programs that fit it."""
        version_file = self.data / "PG_VERSION"
        if version_file.is_file():
            return find_binaries(int(version_file.read_text()))
        if self.data.exists():
            raise PostgresError(f"{self.data} is not a database; move it away, or choose another data folder.")
        programs = find_binaries()
        await self._initdb(programs)
        return programs

    def arguments(self, programs: Path, port: int) -> list[str]:
        """The argument vector of the server."""
        settings = dict(_SETTINGS)
        if major_version(programs) >= 18:
            settings["io_method"] = "sync"
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(programs / "postgres"), "-D", str(self.data), "-p", str(port), *options]

    def postmaster(self) -> Postmaster | None:
        """What the pid file says, whether or not it is still true; None when it cannot be read."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return Postmaster(pid=int(lines[0]), port=int(lines[3]), status=lines[7].strip())
        except (OSError, ValueError, IndexError):
            return None

    def running(self) -> psutil.Process | None:
        """The server of this cluster if its process is alive; a pid that now belongs to another program is not."""
        pid = self._noted_pid()
        if pid is None:
            return None
        try:
            process = psutil.Process(pid)
            return process if str(self.data) in process.cmdline() else None
        except psutil.Error:  # gone, a zombie, or somebody else's
            return None

    def stale_note(self) -> dict[str, str]:
        """The environment that lets `postgres` replace a pid file which a crash left behind.

        It takes PG_GRANDPARENT_PID for a pid that cannot be a living server, and still looks for backends that have
        the old shared memory; removing the file would skip that. Only a file without a pid is removed.
        """
        pid = self._noted_pid()
        if pid is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            return {}
        return {"PG_GRANDPARENT_PID": str(pid)}

    def rotate_log(self) -> None:
        """Keep the log of earlier starts, and one older file."""
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))

    def log_size(self) -> int:
        """Bytes of log so far."""
        return self.log.stat().st_size if self.log.exists() else 0

    def complaint_since(self, offset: int) -> str:
        """The last error in the log after `offset` bytes, for the sentence that says why a start failed."""
        lines = self.log.read_bytes()[offset:].decode(errors="replace").splitlines()
        fatal = [line.split("FATAL:")[1].strip() for line in lines if "FATAL:" in line]
        return (fatal or lines or ["it wrote no reason"])[-1]

    def _noted_pid(self) -> int | None:
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if pid > 0 else None

    async def _initdb(self, programs: Path) -> None:
        """Make the cluster beside its place and rename it, so that a killed `initdb` leaves no half of one."""
        self._write_password()
        unfinished = self.folder / "cluster.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        initdb = await asyncio.create_subprocess_exec(
            programs / "initdb", "-D", unfinished, "-U", USER, f"--pwfile={self._password}", "--auth=scram-sha-256",
            "--encoding=UTF8", *_locale(programs), "--no-instructions",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            cwd="/", env=ENVIRONMENT, preexec_fn=before_exec(signal.SIGKILL),
        )  # fmt: skip
        try:
            _, complaints = await asyncio.wait_for(initdb.communicate(), _INITDB_SECONDS)
        except BaseException:
            initdb.kill()
            raise
        if initdb.returncode:
            reason = complaints.decode(errors="replace").strip().splitlines() or ["it gave no reason"]
            raise PostgresError(f"The embedded database could not be made in {self.folder}: {reason[0]}")
        unfinished.rename(self.data)

    def _write_password(self) -> None:
        new = self._password.with_suffix(".new")
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(24))
        give_away(new)
        new.replace(self._password)


def _locale(programs: Path) -> list[str]:
    """From version 17 on PostgreSQL brings its own C.UTF-8: the same order of words on every system, for ever."""
    if major_version(programs) >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]
