"""From the command to the first page, against importing the application and against a bare Litestar server."""

import asyncio
import compileall
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.harness import ROOT, ROUNDS, Stopwatch, agentpane, first_answer, median, ratio, yardstick
from bench.report import Line, measure


async def main() -> Sequence[Line]:
    """Alternate ours on a data folder that exists, the import alone, and the bare server."""
    compileall.compile_dir(ROOT / "app", quiet=1)
    times: dict[str, list[float]] = {"ours": [], "import": [], "bare": []}
    with tempfile.TemporaryDirectory(prefix="agentpane-bench-", ignore_cleanup_errors=True) as folder:
        first = await _ours(Path(folder))
        for _ in range(ROUNDS):
            times["ours"].append(await _ours(Path(folder)))
            times["import"].append(await _import())
            times["bare"].append(await _bare())
    return _lines(times, first)


async def _ours(folder: Path) -> float:
    watch = Stopwatch()
    async with agentpane(folder) as server:
        await first_answer(server.url)
        return watch.seconds


async def _import() -> float:
    watch = Stopwatch()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import app.asgi", cwd=ROOT)
    assert await asyncio.wait_for(process.wait(), 30) == 0
    return watch.seconds


async def _bare() -> float:
    watch = Stopwatch()
    async with yardstick("bare") as (url, _):
        await first_answer(url)
        return watch.seconds


def _lines(times: dict[str, list[float]], first: float) -> list[Line]:
    ours = f"{median(times['ours']):.2f} s"
    return [
        Line("start to first page, with the database; `python -c 'import app.asgi'`", ours,
             f"{median(times['import']):.2f} s", ratio(times["ours"], times["import"]), "≤ 1.5"),
        Line("the same; a bare Litestar server to its first page", ours, f"{median(times['bare']):.2f} s",
             ratio(times["ours"], times["bare"])),
        Line("the very first start, which makes the database (once)", f"{first:.2f} s"),
    ]  # fmt: skip


if __name__ == "__main__":
    measure("start", main)
