"""Forks servers in milliseconds: a process without threads or an event loop, which has read the application already.

Run as a program with the descriptor of a socket; each message on it is one server's settings and its end of a pipe.
"""

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
_MOST = 65_536


class Nursery:
    """The forking process, as the test sees it."""

    def __init__(self, log: Path) -> None:
        self._socket, theirs = socket.socketpair()
        start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.lifecycles.nursery import main; main()"
        with theirs, log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", start, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stderr=errors,
                stdout=errors,
            )

    def fork(self, settings: Settings) -> tuple[int, Connection]:
        """The pid of a new server, and the pipe to it."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._socket, [pickle.dumps(settings)], [theirs.fileno()])
        pid = int(self._socket.recv(64))
        return pid, Connection(ours.detach())

    def close(self) -> None:
        """End the forking process; its servers have ended before."""
        self._socket.close()
        self._process.wait(timeout=30)


def main() -> None:
    """Fork one server for each message, until the other end is closed."""
    from tests.lifecycles.server import serve, warm_up

    warm_up()
    orders = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(orders.fileno(), False)
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, _MOST, 1)
        if not message:
            return
        os.set_inheritable(descriptors[0], False)
        pid = os.fork()
        if pid == 0:
            orders.close()
            serve(Connection(descriptors[0]), pickle.loads(message))
            os._exit(0)
        os.close(descriptors[0])
        orders.send(str(pid).encode())
        _bury()


def _bury() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def kill(pid: int) -> None:
    """End a server as a power cut does."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
