"""What every measurement needs: the program started as a user starts it, a board with 200 tasks, a visitor, medians."""

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import psutil
from msgspec import Struct
from playwright.async_api import Browser, async_playwright

from app.postgres import opening, pool
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.projects.rows import ProjectRow
from bench.filling import SOMEBODY, fill
from tests.e2e.conftest import ARGUMENTS
from tests.e2e.server import READY, ROOT, Server
from tests.git.repositories import make_repository

#: At least this many alternating rounds; the result is the median of the rounds' ratios.
ROUNDS = 5
#: A user's Python keeps what it compiled; the tests' one does not.
KEEP_COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}


class Place(Struct, frozen=True, kw_only=True):
    """A running server with one project in it."""

    server: Server
    url: str
    database_url: str
    project: ProjectRow

    @property
    def board(self) -> str:
        """The path of the project's board."""
        return f"/projects/{self.project.id}"


@asynccontextmanager
async def agentpane(folder: Path) -> AsyncIterator[Server]:
    """`agentpane serve` with its embedded database, stopped at the end."""
    server = Server(folder, KEEP_COMPILED)
    try:
        yield await server.start()
    finally:
        if server.is_running:
            await server.stop()


@asynccontextmanager
async def a_board(tasks: int = 200) -> AsyncIterator[Place]:
    """A server with one project of `tasks` tasks; this process's pool is open on the same database."""
    with tempfile.TemporaryDirectory(prefix="agentpane-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with agentpane(folder) as server, joined(server) as database_url:
            project = await create_project(NewProject(path=str(make_repository(folder / "wheelwright"))), SOMEBODY)
            await fill(project.id, tasks)
            yield Place(server=server, url=server.url, database_url=database_url, project=project)


@asynccontextmanager
async def joined(server: Server) -> AsyncIterator[str]:
    """This process's pool open on the server's database, whose URL it gives."""
    async with opening.server("", server.data_dir / "postgres") as url:
        await pool.connect(url)
        try:
            yield url
        finally:
            await pool.disconnect()


@asynccontextmanager
async def a_chromium() -> AsyncIterator[Browser]:
    """A real browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def yardstick(kind: str, *arguments: str) -> AsyncIterator[tuple[str, psutil.Process]]:
    """A bare server of `bench.yardsticks` in a process of its own: its address and its process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.yardsticks", kind, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        assert line.startswith(READY), line
        yield line.removeprefix(READY).strip(), psutil.Process(process.pid)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), 15)


class Visitor(Struct, frozen=True):
    """What a browser sends after its first visit: cookies, and the token of its forms."""

    cookies: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """For a request that may change something."""
        return {"cookie": self.cookies, "x-csrftoken": self.token}


async def a_visitor(url: str, path: str) -> tuple[Visitor, bytes]:
    """Somebody who has opened `path`, and the page they got."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        answer = await client.get(path)
        answer.raise_for_status()
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
        token = next((c.value for c in client.cookies.jar if c.name.startswith("agentpane_csrf")), "") or ""
    return Visitor(cookies, token), answer.content


async def first_answer(url: str) -> bytes:
    """The body of `url`, asked once on a connection of its own."""
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.get(url)
        answer.raise_for_status()
        return answer.content


def tree_pss(pid: int) -> float:
    """Proportional memory of a process and its children, in MB (10⁶ bytes): shared pages count once in all."""
    root = psutil.Process(pid)
    return sum(process.memory_full_info().pss for process in (root, *root.children(recursive=True))) / 1e6


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return median([mine / other for mine, other in zip(ours, theirs, strict=True)])


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since it was made."""
        return time.perf_counter() - self._start


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
