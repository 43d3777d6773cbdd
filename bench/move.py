"""One move of a card, as a plain form and as htmx sends it, against UPDATE and NOTIFY alone in the same database."""

import json
import time
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from app.tasks.rows import tasks_of
from bench.harness import ROUNDS, Place, a_board, a_visitor, median, percentile, ratio
from bench.load import Connection
from bench.report import Line, measure

MOVES = 60
CHANNEL = "agentpane_bench"
UPDATE_AND_NOTIFY = (
    "WITH moved AS (UPDATE tasks SET position = $2, updated_at = now() WHERE id = $1 RETURNING id)"
    " SELECT pg_notify($3, $4) FROM moved"
)


async def main() -> Sequence[Line]:
    """Alternate the two kinds of request and the statement, one at a time on one connection each."""
    async with a_board() as place:
        cards = [task.id for task in await tasks_of(place.project.id, "backlog")]
        visitor, _ = await a_visitor(place.url, place.board)
        async with Connection(place.url, visitor.headers) as client:
            heard = await asyncpg.connect(place.database_url)
            alone = await asyncpg.connect(place.database_url)
            await heard.add_listener(CHANNEL, lambda *_: None)
            try:
                return await _compare(place, client, cards, alone)
            finally:
                await alone.close()
                await heard.close()


async def _compare(place: Place, client: Connection, cards: list[str], alone: asyncpg.Connection) -> list[Line]:
    spare = [task.id for task in await tasks_of(place.project.id, "verified")][-1]
    payload = json.dumps([1, place.project.id, None, "task.moved", spare])

    async def plain(number: int) -> None:
        await _move(client, cards, number, {})

    async def by_htmx(number: int) -> None:
        await _move(client, cards, number, {"hx-request": "true"})

    async def statement(_: int) -> None:
        await alone.execute(UPDATE_AND_NOTIFY, spare, 59, CHANNEL, payload)

    times: dict[str, list[list[float]]] = {"plain": [], "htmx": [], "statement": []}
    for _ in range(ROUNDS):
        for name, work in (("plain", plain), ("statement", statement), ("htmx", by_htmx)):
            times[name].append(await _timed(work))
    return _lines({name: [percentile(each, 0.5) * 1000 for each in all_of] for name, all_of in times.items()},
                  median([percentile(each, 0.99) * 1000 for each in times["plain"]]))  # fmt: skip


async def _move(client: Connection, cards: list[str], number: int, headers: dict[str, str]) -> None:
    card = cards[number * 17 % len(cards)]
    form = {"column": "backlog", "position": number * 31 % len(cards)}
    status = await client.post(f"/tasks/{card}/move", form, headers)
    assert status == (200 if headers else 303), status


async def _timed(work: Callable[[int], Awaitable[None]]) -> list[float]:
    taken = []
    for number in range(MOVES):
        begun = time.perf_counter()
        await work(number)
        taken.append(time.perf_counter() - begun)
    return taken


def _lines(p50: dict[str, list[float]], p99: float) -> list[Line]:
    alone = f"{median(p50['statement']):.2f} ms"
    return [
        Line("one move by a plain form (303), p50; UPDATE + NOTIFY alone", f"{median(p50['plain']):.2f} ms", alone,
             ratio(p50["plain"], p50["statement"]), "≤ 3"),
        Line("one move by htmx (partials), p50; UPDATE + NOTIFY alone", f"{median(p50['htmx']):.2f} ms", alone,
             ratio(p50["htmx"], p50["statement"])),
        Line("one move by a plain form, p99", f"{p99:.2f} ms"),
    ]  # fmt: skip


if __name__ == "__main__":
    measure("move", main)
