"""Memory of the idle program with its database, against a bare Litestar server."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from bench.harness import ROUNDS, Stopwatch, agentpane, first_answer, median, ratio, tree_pss, yardstick
from bench.report import Line, measure

#: Seconds after the first page until memory is read: the program has nothing left to do then.
_SETTLE_S = 1.0


async def main() -> Sequence[Line]:
    """Alternate ours and the bare server, each read in its own quiet moment."""
    whole, alone, bare = [], [], []
    with tempfile.TemporaryDirectory(prefix="agentpane-bench-", ignore_cleanup_errors=True) as folder:
        for _ in range(ROUNDS):
            tree, server = await _ours(Path(folder))
            whole.append(tree)
            alone.append(server)
            bare.append(await _bare())
    other = f"{median(bare):.0f} MB"
    return [
        Line("idle, the whole process tree with PostgreSQL (PSS); bare Litestar", f"{median(whole):.0f} MB", other,
             ratio(whole, bare)),
        Line("idle, the server's own process (PSS); bare Litestar", f"{median(alone):.0f} MB", other,
             ratio(alone, bare)),
    ]  # fmt: skip


async def _ours(folder: Path) -> tuple[float, float]:
    async with agentpane(folder) as server:
        assert server.process is not None
        await first_answer(server.url)
        await _settled(server.process.pid)
        own = psutil.Process(server.process.pid).memory_full_info().pss / 1e6
        return tree_pss(server.process.pid), own


async def _bare() -> float:
    async with yardstick("bare") as (url, process):
        await first_answer(url)
        await _settled(process.pid)
        return tree_pss(process.pid)


async def _settled(pid: int) -> None:
    """Wait until two readings a moment apart agree, at most 5 s."""
    watch, before = Stopwatch(), 0.0
    while abs((now := tree_pss(pid)) - before) > 0.1 and watch.seconds < 5:
        before = now
        await asyncio.sleep(_SETTLE_S)


if __name__ == "__main__":
    measure("memory", main)
