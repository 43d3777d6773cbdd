"""What the chain costs when a tool call is written down, and an audit log of 100,000 calls against one of 1,000."""

import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg
import httpx
import psutil

from app.audit import calls
from app.postgres import opening
from app.processes.redacting import Redactor
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.runners.base import ToolFinished, ToolStarted
from app.runs.recording import Recorder
from bench.calls import fill_calls
from bench.filling import SOMEBODY
from bench.harness import ROUNDS, Place, a_board, median, percentile, ratio
from bench.report import Line, measure
from tests.git.repositories import make_repository
from tests.work import begin

MANY, FEW = 100_000, 1_000
#: Calls that are written down in one round.
WRITTEN = 60
#: Times that a page is opened in one round.
OPENED = 5


async def main() -> Sequence[Line]:
    """First without a server, so that nobody else writes; then pages and an export of one."""
    return [await _writing(), *await _reading()]


async def _writing() -> Line:
    with tempfile.TemporaryDirectory(prefix="agentpane-bench-") as name:
        async with opening.database("", Path(name) / "postgres"):
            project = await create_project(NewProject(path=str(make_repository(Path(name) / "wheels"))), SOMEBODY)
            recorder = Recorder(await begin(project.id), "opus-1", Redactor({}))
            with_chain, without = [], []
            for number in range(ROUNDS):
                with_chain.append(percentile(await _written(recorder, f"a{number}"), 0.5) * 1000)
                with patch.object(calls, "append_in_lock", _nothing):
                    without.append(percentile(await _written(recorder, f"b{number}"), 0.5) * 1000)
    what = "a tool call written down, its beginning and its end in a transaction each, p50; without the chain"
    return Line(what, f"{median(with_chain):.2f} ms", f"{median(without):.2f} ms", ratio(with_chain, without))


async def _written(recorder: Recorder, prefix: str) -> list[float]:
    taken = []
    for number in range(WRITTEN):
        id = f"{prefix}-{number}"
        begun = time.perf_counter()
        await recorder.write([ToolStarted(call_id=id, tool="Bash", input={"command": "pytest -q " + "x" * 200})])
        await recorder.write([ToolFinished(call_id=id, status="complete", output={"stdout": "passed\n" * 100})])
        taken.append(time.perf_counter() - begun)
    return taken


async def _nothing(*_: Any, **__: Any) -> None:
    """In the place of the chain."""


async def _reading() -> list[Line]:
    async with a_board(0) as place, _two_logs(place) as (many, few):
        async with httpx.AsyncClient(base_url=place.url, timeout=60) as client:
            pages: dict[str, list[list[float]]] = {many: [], few: []}
            for _ in range(ROUNDS):
                for path, rounds in pages.items():
                    rounds.append([await _opened(client, path) for _ in range(OPENED)])
            searched = [await _opened(client, f"{many}?q=part-77777+") for _ in range(ROUNDS)]
            export = await _exported(client, place, f"{many}/export.jsonl")
        p50 = {path: [percentile(each, 0.5) * 1000 for each in rounds] for path, rounds in pages.items()}
    return [
        Line(f"the audit log of {MANY:,} calls, newest page, p50; of {FEW:,} calls", f"{median(p50[many]):.0f} ms",
             f"{median(p50[few]):.0f} ms", ratio(p50[many], p50[few])),
        Line(f"the same for a text in one of {MANY:,} inputs", f"{median(searched) * 1000:.0f} ms"),
        export,
    ]  # fmt: skip


@asynccontextmanager
async def _two_logs(place: Place) -> AsyncIterator[tuple[str, str]]:
    """The addresses of a log with many calls and of one with few."""
    with tempfile.TemporaryDirectory(prefix="agentpane-bench-") as name:
        small = await create_project(NewProject(path=str(make_repository(Path(name) / "spokes"))), SOMEBODY)
        connection = await asyncpg.connect(place.database_url)
        await fill_calls(connection, place.project.id, MANY)
        await fill_calls(connection, small.id, FEW)
        await connection.close()
        yield f"/projects/{place.project.id}/audit", f"/projects/{small.id}/audit"


async def _opened(client: httpx.AsyncClient, path: str) -> float:
    begun = time.perf_counter()
    (await client.get(path)).raise_for_status()
    return time.perf_counter() - begun


async def _exported(client: httpx.AsyncClient, place: Place, path: str) -> Line:
    assert place.server.process is not None
    server = psutil.Process(place.server.process.pid)
    before = peak = server.memory_info().rss
    begun, size = time.perf_counter(), 0
    async with client.stream("GET", path) as answer:
        answer.raise_for_status()
        async for chunk in answer.aiter_bytes(1024 * 1024):
            size, peak = size + len(chunk), max(peak, server.memory_info().rss)
    what = f"export of them as JSON lines, {size / 1e6:.0f} MB; what the server's memory grew by meanwhile"
    return Line(what, f"{time.perf_counter() - begun:.1f} s", f"{(peak - before) / 1e6:.1f} MB")


if __name__ == "__main__":
    measure("audit", main)
