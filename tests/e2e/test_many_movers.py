"""Many people move cards at the same moment: positions stay 0..n-1, and nobody gets any error but 409."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from tests.e2e.server import Server

CLIENTS = 32
CARDS = 120
COLUMNS = ("backlog", "backlog", "in_progress", "in_progress", "waiting_approval", "verified")
_CARD = re.compile(r'data-task-id="(\w+)" data-column="(\w+)" data-position="(\d+)"')


class Mover:
    """One browser without JavaScript: its own cookies, its own token."""

    def __init__(self, url: str) -> None:
        self.http = httpx.AsyncClient(base_url=url, timeout=60)
        self.token = ""

    async def reads(self, path: str) -> str:
        """A page; the token of its forms is kept."""
        page = await self.http.get(path)
        assert page.status_code == 200, page.text
        found = re.search(r'name="_csrf_token" value="([^"]+)"', page.text)
        self.token = found[1] if found else self.token
        return page.text

    async def sends(self, address: str, **fields: object) -> httpx.Response:
        """A form of a page that was read."""
        return await self.http.post(address, data={"_csrf_token": self.token, **fields})


@pytest.mark.parametrize("tries", [5, pytest.param(50, marks=pytest.mark.soak)])
async def test_positions_stay_whole(tries: int, serve: Callable[..., Awaitable[Server]], repository: Path) -> None:
    server = await serve()
    first = Mover(server.url)
    await first.reads("/")
    made = await first.sends("/projects", path=str(repository), max_concurrent_agents=1)
    project = made.headers["location"].rsplit("/", 1)[1]
    await first.reads(f"/projects/{project}/agents")
    await first.sends(f"/projects/{project}/agents", name="waits", runner="command", command="tail -f /dev/null")
    for n in range(CARDS):
        assert (await first.sends(f"/projects/{project}/tasks", title=f"Card {n}")).status_code == 303
    cards = [card for card, _, _ in _CARD.findall(await first.reads(f"/projects/{project}"))]
    assert len(cards) == CARDS

    answers: Counter[int] = Counter()
    await asyncio.gather(*(_move(Mover(server.url), project, cards, n, tries, answers) for n in range(CLIENTS)))

    assert set(answers) <= {303, 409}, answers
    assert answers.total() == CLIENTS * tries
    assert answers[303] > 10
    places: dict[str, list[int]] = {}
    for _, column, position in _CARD.findall(await first.reads(f"/projects/{project}")):
        places.setdefault(column, []).append(int(position))
    assert sum(map(len, places.values())) == CARDS
    assert all(sorted(each) == list(range(len(each))) for each in places.values()), places
    print(f"{CLIENTS} clients, {tries} tries each: {answers[303]} moves, {answers[409]} refused with 409")


async def _move(mover: Mover, project: str, cards: list[str], seed: int, tries: int, answers: "Counter[int]") -> None:
    dice = random.Random(seed)
    await mover.reads(f"/projects/{project}")
    for _ in range(tries):
        card = dice.choice(cards)
        moved = await mover.sends(f"/tasks/{card}/move", column=dice.choice(COLUMNS), position=dice.randrange(CARDS))
        answers[moved.status_code] += 1
    await mover.http.aclose()
