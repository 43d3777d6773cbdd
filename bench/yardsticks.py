"""Bare servers to compare with. Each runs in a process of its own and says where it listens in one line.

`bare FILE`: Litestar and nothing else, answering the bytes of FILE from memory.
`stack FILE`: the same with what surrounds every page of ours: CSRF, known hosts, security headers, visitor's cookie.
`broadcast`: what arrives on a connection that begins with `speak` goes to every connection that began otherwise.
"""

import asyncio
import sys
from pathlib import Path

import uvloop
from litestar import Litestar, MediaType, Response, get

from tests.e2e.server import READY


def main() -> None:
    """Run the yardstick that the command line names."""
    kind, *arguments = sys.argv[1:]
    if kind == "broadcast":
        uvloop.run(_broadcast())
    else:
        _serve(Path(arguments[0]).read_bytes() if arguments else b"<!doctype html><title>bare</title>", kind == "stack")


def _serve(body: bytes, in_stack: bool) -> None:
    from app.cli.server import run
    from app.settings import Settings

    @get("/", sync_to_thread=False)
    def page() -> Response[bytes]:
        return Response(body, media_type=MediaType.HTML)

    app = _in_stack(page) if in_stack else Litestar([page], openapi_config=None, logging_config=None)
    app.state.shutdown = asyncio.Event()
    run(app, Settings(data_dir=Path(), port=0))


def _in_stack(page: object) -> Litestar:
    from app.accounts.people import remember_visitor
    from app.web.csrf import csrf_config
    from app.web.security import AllowedHosts, add_security_headers

    return Litestar(
        [page],  # type: ignore[list-item]
        csrf_config=csrf_config("s" * 48),
        middleware=[AllowedHosts(())],
        before_send=[add_security_headers, remember_visitor],
        openapi_config=None,
        logging_config=None,
    )


async def _broadcast() -> None:
    hearers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readline() == b"speak\n":
            while size := await reader.readline():
                said = await reader.readexactly(int(size))
                for hearer in hearers:
                    hearer.write(said)
        else:
            hearers.add(writer)
            await reader.read()
            hearers.discard(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    print(f"{READY}http://{host}:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    main()
