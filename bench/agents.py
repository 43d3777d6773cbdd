"""Twenty agents that talk at once, watched in a real Chromium; and one session of 100,000 events."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psutil
from msgspec import Struct
from playwright.async_api import Page

from app.projects.rows import ProjectRow
from bench.harness import ROUNDS, Stopwatch, a_chromium, agentpane, first_answer, joined, median, percentile
from bench.listener import Listener
from bench.report import Line, measure
from bench.talkers import (
    Live,
    all_at_work,
    all_done,
    at_work,
    events,
    log_length,
    logged,
    lost_in_log,
    put_to_work,
    put_up,
)
from tests.e2e.server import Server

#: A project has at most ten at work, so there are two.
PROJECTS, AGENTS = 2, 10
#: What each of them says: two lines a second, for a minute and a half.
LINES, EVERY_S = 180, 0.5
LINES_ALONE = 60
#: Seconds for what else a run takes: a worktree, a commit.
PATIENCE_S = 60
LONG_LINES = 100_000
#: Notes for each message of the agent when it was said and how much later it stood in the document, in milliseconds.
WATCH = """() => {
  const seen = window.seen = {};
  const now = () => performance.timeOrigin + performance.now();
  const look = () => {
    for (const [, number, at] of document.body.textContent.matchAll(/said (\\d+) at ([\\d.]+)\\. /g))
      seen[number] ??= [Number(at), now() - Number(at)];
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


async def main() -> Sequence[Line]:
    """First twenty at once, then one that says 100,000 things, each on a server of its own."""
    return [*await _together(), *await _at_length()]


class Watched(Struct, frozen=True):
    """What a browser saw of one session, in milliseconds from the program's word to the document."""

    delays: list[float]
    lost: int
    #: MB
    per_run: float = 0.0
    per_guard: float = 0.0


async def _together() -> list[Line]:
    async with _place() as (server, folder):
        alone = await _one(server, await put_up(folder / "one", 1, LINES_ALONE, EVERY_S))
        projects = [await put_up(folder / f"many-{n}", AGENTS, LINES, EVERY_S) for n in range(PROJECTS)]
        many = await _many(server, projects)
    count, said = PROJECTS * AGENTS, PROJECTS * AGENTS * events(LINES)
    return [
        *(_delay_line(name, share, many, alone) for name, share in (("p50", 0.5), ("p99", 0.99))),
        Line(f"of their {said:,} events: lost in the log, or to one of {count} readers of a stream", f"{many.lost}"),
        Line("memory that the server takes more for each live run (PSS)", f"{many.per_run:.1f} MB"),
        Line("a live run's guard (PSS), beside the agent's own program", f"{many.per_guard:.1f} MB"),
    ]


def _delay_line(name: str, share: float, many: Watched, alone: Watched) -> Line:
    ours, other = percentile(many.delays, share), percentile(alone.delays, share)
    what = f"an agent's word to the document in Chromium, {PROJECTS * AGENTS} agents live, {name}; one agent alone"
    return Line(what, f"{ours:.0f} ms", f"{other:.0f} ms", ours / other)


async def _one(server: Server, project: ProjectRow) -> Watched:
    """One agent alone, in a browser."""
    await put_to_work(project, 1)
    [run] = await all_at_work(1)
    async with _page(server, run) as page, Listener(server.url, run.session_id) as reader:
        await all_done(LINES_ALONE * EVERY_S + PATIENCE_S)
        return Watched(delays=await _delays(page), lost=await _lost(run, reader, LINES_ALONE))


async def _many(server: Server, projects: list[ProjectRow]) -> Watched:
    """All agents of all projects at once; a browser before the last one, and a reader before each."""
    before = _memory(server)
    for project in projects:
        await put_to_work(project, AGENTS)
    runs = await all_at_work(PROJECTS * AGENTS)
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(Listener(server.url, run.session_id)) for run in runs]
        page = await stack.enter_async_context(_page(server, runs[-1]))
        await asyncio.sleep(LINES * EVERY_S / 4)
        assert len(await at_work()) == PROJECTS * AGENTS
        per_run = (_memory(server) - before) / (PROJECTS * AGENTS)
        guards = [psutil.Process(run.pid).memory_full_info().pss / 1e6 for run in runs]
        await all_done(LINES * EVERY_S + PATIENCE_S)
        lost = [await _lost(run, reader, LINES) for run, reader in zip(runs, readers, strict=True)]
        return Watched(delays=await _delays(page), lost=sum(lost), per_run=per_run, per_guard=median(guards))


async def _lost(run: Live, reader: Listener, lines: int) -> int:
    """Of the program's words those that are not in the log, and of the log those that the reader did not get."""
    numbers = await logged(run)
    async with asyncio.timeout(PATIENCE_S):
        while numbers[-1] not in reader.numbers:
            await asyncio.sleep(0.1)
    assert reader.numbers == sorted(set(reader.numbers))
    return await lost_in_log(run, lines) + len(set(numbers) - set(reader.numbers))


async def _at_length() -> list[Line]:
    """One agent that says 100,000 things as fast as it can; the server's memory meanwhile, and the page after."""
    async with _place() as (server, folder):
        project = await put_up(folder / "long", 1, LONG_LINES, 0)
        watch = Stopwatch()
        await put_to_work(project, 1)
        [run] = await all_at_work(1)
        memory = await _memory_meanwhile(server, run)
        took, lost = watch.seconds, await lost_in_log(run, LONG_LINES)
        opened = [await _opened(server, run) for _ in range(ROUNDS)]
    return [
        Line(f"{events(LONG_LINES):,} events of one session, said at once: written down in", f"{took:.0f} s"),
        Line("of them lost in the log", f"{lost}"),
        Line("the server's memory (PSS) at its end; at a quarter of it", f"{memory[-1]:.0f} MB",
             f"{memory[len(memory) // 4]:.0f} MB", memory[-1] / memory[len(memory) // 4]),
        Line("its page, from the request to the last byte, p50", f"{median(opened) * 1000:.0f} ms"),
    ]  # fmt: skip


async def _memory_meanwhile(server: Server, run: Live) -> list[float]:
    """The server's memory in MB, each time another fiftieth of the events is there."""
    found: list[float] = []
    while await at_work():
        if await log_length(run) >= len(found) * events(LONG_LINES) / 50:
            found.append(_memory(server))
        await asyncio.sleep(1)
    return found


async def _opened(server: Server, run: Live) -> float:
    watch = Stopwatch()
    await first_answer(f"{server.url}/sessions/{run.session_id}")
    return watch.seconds


@asynccontextmanager
async def _place() -> AsyncIterator[tuple[Server, Path]]:
    with tempfile.TemporaryDirectory(prefix="agentpane-bench-", ignore_cleanup_errors=True) as name:
        async with agentpane(Path(name)) as server, joined(server):
            yield server, Path(name)


@asynccontextmanager
async def _page(server: Server, run: Live) -> AsyncIterator[Page]:
    async with a_chromium() as chromium:
        page = await (await chromium.new_context()).new_page()
        await page.goto(f"{server.url}/sessions/{run.session_id}")
        await page.evaluate(WATCH)
        yield page


async def _delays(page: Page) -> list[float]:
    """What was said while the page was open: how long each took. What the page was made with does not count."""
    seen = await page.evaluate("window.seen")
    opened = float(await page.evaluate("performance.timeOrigin")) + 1000
    found = [float(delay) for said_at, delay in seen.values() if said_at > opened]
    assert len(found) > 10
    return found


def _memory(server: Server) -> float:
    """Of the server's own process, in MB (PSS): its programs and its database do not count."""
    assert server.process is not None
    return psutil.Process(server.process.pid).memory_full_info().pss / 1e6


if __name__ == "__main__":
    measure("agents", main, seconds=1_200)
