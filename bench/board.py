"""The board page of 200 tasks under load, against the same bytes from memory behind the same server and stack."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.harness import ROUNDS, Place, a_board, a_visitor, median, ratio, yardstick
from bench.load import Burst, burst
from bench.report import Line, measure

CONNECTIONS = 16
SECONDS = 2.0


async def main() -> Sequence[Line]:
    """Alternate the board, the stack with the same bytes, and bare Litestar with the same bytes."""
    async with a_board() as place:
        visitor, html = await a_visitor(place.url, place.board)
        with tempfile.NamedTemporaryFile(suffix=".html") as file:
            Path(file.name).write_bytes(html)
            async with yardstick("stack", file.name) as (stack, _), yardstick("bare", file.name) as (bare, _):
                return await _compare(place, stack, bare, visitor.headers, len(html))


async def _compare(place: Place, stack: str, bare: str, headers: dict[str, str], size: int) -> list[Line]:
    sides = {"board": (place.url, place.board), "stack": (stack, "/"), "bare": (bare, "/")}
    bursts: dict[str, list[Burst]] = {name: [] for name in sides}
    single: dict[str, list[float]] = {name: [] for name in sides}
    for url, path in sides.values():
        await burst(url, path, headers, CONNECTIONS, 0.5)
    for _ in range(ROUNDS):
        for name, (url, path) in sides.items():
            bursts[name].append(await burst(url, path, headers, CONNECTIONS, SECONDS))
            single[name].append((await burst(url, path, headers, 1, SECONDS / 4)).ms(0.5))
            await asyncio.sleep(0.05)
    return _lines(bursts, single, size)


def _lines(bursts: dict[str, list[Burst]], single: dict[str, list[float]], size: int) -> list[Line]:
    rate = {name: [each.rate for each in all_of] for name, all_of in bursts.items()}
    p50 = [each.ms(0.5) for each in bursts["board"]]
    p99 = [each.ms(0.99) for each in bursts["board"]]
    busiest = max(each.busy for all_of in bursts.values() for each in all_of)
    return [
        Line(f"pages per second, {CONNECTIONS} connections, {size // 1000} kB of HTML; same bytes, same stack",
             f"{median(rate['board']):.0f}/s", f"{median(rate['stack']):.0f}/s", ratio(rate["board"], rate["stack"]),
             "≥ 0.20"),
        Line("the same against bare Litestar without CSRF and headers", f"{median(rate['board']):.0f}/s",
             f"{median(rate['bare']):.0f}/s", ratio(rate["board"], rate["bare"]), "≥ 0.20"),
        Line("p99 against own p50, 16 connections", f"{median(p99):.1f} ms", f"{median(p50):.1f} ms",
             ratio(p99, p50), "≤ 4"),
        Line("p50 with one connection; same bytes, same stack", f"{median(single['board']):.2f} ms",
             f"{median(single['stack']):.2f} ms", ratio(single["board"], single["stack"])),
        Line("busiest round of the load's client, share of a core", f"{busiest:.2f}"),
    ]  # fmt: skip


if __name__ == "__main__":
    measure("board", main)
