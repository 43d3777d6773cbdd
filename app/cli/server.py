"""Runs a Litestar application under uvicorn: one line when it is ready, and an end within seconds."""

import asyncio
import contextlib
import errno
import logging
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Iterator
from typing import Any

import click
import uvicorn
import uvloop
from litestar import Litestar
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.settings import Settings
from app.web.agents import PeerMarking

#: How long open requests may go on after the order to stop. Streams end at once: they watch `app.state.shutdown`.
_GRACE_SECONDS = 3
#: It ends at once, and leaves a child of nobody behind.
_OPENER = "import os, sys, webbrowser\nif not os.fork():\n    webbrowser.open(sys.argv[1])"


def run(app: Litestar, settings: Settings, open_browser: bool = False) -> None:
    """Serve `app` until SIGTERM or SIGINT.

    `app.state.shutdown` is an `asyncio.Event` that is set first, so that streams can end before uvicorn waits for
    them. The lifespan is entered here and not by uvicorn, so that what it refuses is told as it is.
    """
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    listening = _bind(settings.host, settings.port)
    with listening, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(app, settings, listening, open_browser))


async def _serve(app: Litestar, settings: Settings, listening: socket.socket, open_browser: bool) -> None:
    server = _Server(app, settings, _address(listening), open_browser)
    starting = asyncio.current_task()
    assert starting is not None

    def stop() -> None:
        if server.started:
            server.stop()
        else:
            starting.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        async with app.lifespan():
            await server.serve(sockets=[listening])


class _Connection(HttpToolsProtocol):
    """One connection, whose requests all come from the same program."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app = PeerMarking(self.app)


class _Server(uvicorn.Server):
    def __init__(self, app: Litestar, settings: Settings, address: str, open_browser: bool) -> None:
        super().__init__(
            uvicorn.Config(
                ProxyHeadersMiddleware(app, "127.0.0.1") if settings.base_url else app,  # type: ignore[arg-type]
                loop="uvloop",
                http=_Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,  # Ours, above: who is at the other end must be seen before.
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._app = app
        self._address = address
        self._open_browser = open_browser

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The handlers of `_serve` stand from before the start to after the end."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        click.echo(f"AgentPane ready: {self._address}")
        if self._open_browser:
            await _open(self._address)

    def stop(self) -> None:
        """End streams first, then the server; a second order does not wait for open requests."""
        self._app.state.shutdown.set()
        self.force_exit = self.should_exit
        self.should_exit = True


async def _open(address: str) -> None:
    """Open a browser that does not stem from us: what does is no visitor (`app/web/agents.py`)."""
    opener = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", _OPENER, address, stdin=DEVNULL, stdout=DEVNULL, start_new_session=True
    )
    await opener.wait()


def _bind(host: str, port: int) -> socket.socket:
    """Take the port before anything is started; nobody can connect until uvicorn listens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        reason = "it is in use" if error.errno == errno.EADDRINUSE else (error.strerror or str(error)).lower()
        raise click.ClickException(f"AgentPane cannot serve on {host} port {port}: {reason}.") from error
    return listening


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
