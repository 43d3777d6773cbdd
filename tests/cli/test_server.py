"""Serving: one line when it is ready, and an end within seconds whatever is open."""

import asyncio
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

SERVE = """
import asyncio, sys
from contextlib import asynccontextmanager
from pathlib import Path
from litestar import Litestar, get
from litestar.datastructures import State
from litestar.response import Stream
from app.cli.server import run
from app.settings import Settings

@asynccontextmanager
async def lifespan(app):
    if sys.argv[2] == "slow":
        print("starting", flush=True)
        await asyncio.sleep(60)
    yield
    print("closed", flush=True)

@get("/")
async def hello() -> str:
    return "hello"

@get("/stream")
async def stream() -> Stream:
    async def words():
        yield "first\\n"
        await app.state.shutdown.wait()
        yield "last\\n"
    return Stream(words)

@get("/stuck")
async def stuck() -> Stream:
    async def words():
        yield "first\\n"
        await asyncio.sleep(3600)
    return Stream(words)

app = Litestar([hello, stream, stuck], lifespan=[lifespan], state=State({"shutdown": asyncio.Event()}))
run(app, Settings(data_dir=Path("/nowhere"), port=int(sys.argv[1])))
"""


@asynccontextmanager
async def serving(port: int = 0, mode: str = "quick") -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, str(port), mode, stdout=pipe, stderr=pipe
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout
    line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
    assert line.startswith("AgentPane ready: http://127.0.0.1:")
    return line.split()[-1]


async def end(process: asyncio.subprocess.Process, number: int) -> tuple[str, float]:
    """What it still prints, and the seconds it takes to end."""
    begun = time.monotonic()
    process.send_signal(number)
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    return output.decode(), time.monotonic() - begun


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_one_line_answers_and_ends_cleanly(number: int) -> None:
    async with serving() as process, httpx.AsyncClient() as browser:
        url = await address(process)
        assert (await browser.get(url)).text == "hello"
        assert (await end(process, number))[0] == "closed\n"
        assert process.returncode == 0


async def test_open_streams_end_with_their_last_word() -> None:
    async with serving() as process, httpx.AsyncClient(timeout=20) as browser:
        url = await address(process)
        async with browser.stream("GET", f"{url}/stream") as reply:
            lines = reply.aiter_lines()
            assert await anext(lines) == "first"
            _, seconds = await end(process, signal.SIGTERM)
            assert [line async for line in lines] == ["last"]
        assert process.returncode == 0
        assert seconds < 3


async def test_a_request_that_never_ends_does_not_keep_it() -> None:
    async with serving() as process, httpx.AsyncClient(timeout=20) as browser:
        url = await address(process)
        async with browser.stream("GET", f"{url}/stuck") as reply:
            assert await anext(reply.aiter_lines()) == "first"
            output, seconds = await end(process, signal.SIGTERM)
        assert output == "closed\n"
        assert process.returncode == 0
        assert seconds < 10


async def test_a_start_can_be_ended() -> None:
    async with serving(mode="slow") as process:
        assert process.stdout
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"starting\n"
        output, seconds = await end(process, signal.SIGTERM)
        assert (output, process.returncode) == ("", 0)
        assert seconds < 5


async def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with serving(port) as process:
            output, complaint = await asyncio.wait_for(process.communicate(), 60)
    assert output == b""
    assert f"AgentPane cannot serve on 127.0.0.1 port {port}: it is in use." in complaint.decode()
    assert process.returncode == 1
