"""The embedded PostgreSQL as a child of this process: start it or join the one that runs, keep it up, stop it.

Whoever holds the lock in the folder owns the server and is its parent; every other process attaches.
"""

import asyncio
import fcntl
import logging
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from io import FileIO
from pathlib import Path

import asyncpg
import psutil

from app.postgres.cluster import DATABASE, ENVIRONMENT, Cluster
from app.postgres.errors import ERRORS, PostgresError, is_away
from app.postgres.privileges import before_exec

_START_SECONDS = 120
#: Fast shutdown, an immediate one, the end; seconds for each. After any of them every commit is kept.
_ENDINGS = ((signal.SIGINT, 5), (signal.SIGQUIT, 2), (signal.SIGKILL, 5))
_POLL_SECONDS = 0.02
_WATCH_SECONDS = 0.2
_LONGEST_BACKOFF_SECONDS = 10.0
#: Complaints of a start that go away by themselves: backends of a killed server, or a port taken meanwhile.
_PASSING = ("shared memory block", "could not create any TCP/IP sockets")

log = logging.getLogger(__name__)


class EmbeddedServer:
    """One PostgreSQL per data folder. `url`, `pid` and `attached` hold once `start` has returned."""

    def __init__(self, folder: Path) -> None:
        self._cluster = Cluster(folder)
        self._lock: FileIO | None = None
        self._process: psutil.Process | None = None
        self._port = 0
        #: True when another process owns the server, which then outlives us.
        self.attached = False

    @property
    def url(self) -> str:
        """The address for asyncpg, with the password: not for logs."""
        return self._cluster.url(self._port)

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        if self._process is None:
            raise PostgresError("The embedded database is not started.")
        return self._process.pid

    async def start(self) -> None:
        """Serve the folder's database, or attach to the process that does. Raises `PostgresError`."""
        self._cluster.make_folder()
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._take_lock():
                return await self._own(deadline)
            if await self._attach():
                return None
            await asyncio.sleep(_POLL_SECONDS)
        raise PostgresError(f"Another process holds {self._cluster.lock} and serves no database; end it and try again.")

    async def watch(self) -> None:
        """Start the server again, on the same port, whenever it has died. Runs until cancelled."""
        backoff = _WATCH_SECONDS
        while True:
            await asyncio.sleep(backoff)
            if self._is_alive():
                backoff = _WATCH_SECONDS
                continue
            log.warning("The embedded database is gone; starting it again.")
            try:
                self._release_lock()
                await self.start()
            except (*ERRORS, PostgresError) as error:
                backoff = min(backoff * 2, _LONGEST_BACKOFF_SECONDS)
                log.error("The embedded database did not come back: %s", error)

    async def stop(self) -> None:
        """End the server if it is ours, and wait for that; leave it up if we only attached."""
        await self._leave()
        self._port = 0

    async def _own(self, deadline: float) -> None:
        self._process, self.attached = None, False
        try:
            await self._end_orphan()
            programs = await self._cluster.prepare()
            self._cluster.rotate_log()
            await self._launch(programs, deadline)
            await _make_database(self.url)
        except BaseException:
            await self._leave()
            raise

    async def _end_orphan(self) -> None:
        """A server without an owner: its parent was killed where the kernel does not tell it (macOS), or just now."""
        orphan = self._cluster.running()
        if orphan is not None:
            await _end(orphan)

    async def _launch(self, programs: Path, deadline: float) -> None:
        port = self._port or _free_or_any(self._cluster.last_port)
        while True:
            self._port = _free_port(port)
            log_start = self._cluster.log_size()
            self._spawn(programs)
            if await self._becomes_ready(deadline):
                self._cluster.last_port = self._port
                return
            complaint = self._cluster.complaint_since(log_start)
            if time.monotonic() > deadline or not any(passing in complaint for passing in _PASSING):
                raise PostgresError(f"The embedded database did not start: {complaint} (log: {self._cluster.log})")
            await asyncio.sleep(0.2)

    def _spawn(self, programs: Path) -> None:
        with self._cluster.log.open("ab") as output:
            self._process = psutil.Popen(
                self._cluster.arguments(programs, self._port),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=ENVIRONMENT | self._cluster.stale_note(),
                start_new_session=True,
                preexec_fn=before_exec(signal.SIGINT),
            )

    async def _becomes_ready(self, deadline: float) -> bool:
        """Wait for our own child to say so: a stranger on the port would otherwise be asked with our password."""
        while self._is_alive() and time.monotonic() < deadline:
            noted = self._cluster.postmaster()
            if noted and noted.pid == self.pid and noted.status == "ready":
                return True
            await asyncio.sleep(_POLL_SECONDS)
        return False

    async def _attach(self) -> bool:
        process, noted = self._cluster.running(), self._cluster.postmaster()
        if process is None or noted is None or noted.pid != process.pid or noted.status != "ready":
            return False
        if not await _answers(self._cluster.url(noted.port)):
            return False
        self._port, self._process, self.attached = noted.port, process, True
        return True

    def _is_alive(self) -> bool:
        return self._process is not None and _is_alive(self._process)

    async def _leave(self) -> None:
        process, self._process = self._process, None
        try:
            if process is not None and not self.attached:
                await _end(process)
        finally:
            self._release_lock()

    def _take_lock(self) -> bool:
        lock = FileIO(os.open(self._cluster.lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600), "r+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def _release_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


async def _end(process: psutil.Process) -> None:
    for number, seconds in _ENDINGS:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        if await _is_gone(process, seconds):
            return
        log.warning("The embedded database did not end on %s within %s s.", number.name, seconds)
    raise PostgresError(f"The embedded database (process {process.pid}) cannot be ended.")


async def _is_gone(process: psutil.Process, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _is_alive(process):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


def _is_alive(process: psutil.Process) -> bool:
    """A zombie is dead: not every container's first process collects the dead."""
    if isinstance(process, psutil.Popen):
        return process.poll() is None
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _free_or_any(port: int) -> int:
    """The port of the last time if it is free, so that the address stays the same; else 0, for any."""
    try:
        return _free_port(port)
    except PostgresError:
        return 0


def _free_port(asked: int) -> int:
    """A free port of the loopback interface; exactly `asked` where clients already know it (not 0)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", asked))
        except OSError as error:
            raise PostgresError(f"The embedded database cannot have port {asked} of 127.0.0.1: {error}") from error
        return int(probe.getsockname()[1])


async def _answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except ERRORS as error:
        if is_away(error) or isinstance(error, (OSError, asyncpg.InvalidCatalogNameError)):
            return False
        raise PostgresError(f"The embedded database refuses us: {error}") from error
    await connection.close(timeout=5)
    return True


async def _make_database(url: str) -> None:
    """Make our database where it is missing: at the first start, or after one that was cut short."""
    if await _answers(url):
        return
    connection = await asyncpg.connect(url.rsplit("/", 1)[0] + "/postgres", timeout=30)
    try:
        await connection.execute(f'CREATE DATABASE "{DATABASE}"')
    finally:
        await connection.close(timeout=5)
