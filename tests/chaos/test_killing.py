"""`kill -9` in the middle of the work: of the server, of agents, of the database. Nothing is lost, nothing lives on.

By hand with other moments: `CHAOS_SEED=7 bin/test tests/chaos -m soak -s`.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.chaos.town import AGENT, FILES, Town
from tests.databases import fresh_database
from tests.e2e.server import Server
from tests.git.repositories import make_repository

#: What is killed, how often, and from which seed the moments are drawn: a few each time, many by hand.
FEW = {"server": 4, "agent": 4, "database": 2}
MANY = {"server": 50, "agent": 50, "database": 20}
#: After so many kills the work is let come to rest.
ROUND = 5


def _cases() -> list[object]:
    seed = int(os.environ.get("CHAOS_SEED", "1"))
    few = [pytest.param(victim, kills, seed, id=f"{victim}-{kills}") for victim, kills in FEW.items()]
    soak = pytest.mark.soak
    many = [pytest.param(v, k, seed, marks=soak, id=f"{v}-{k}") for v, k in MANY.items()]
    return [*few, *many]


@pytest.fixture
async def found_town(tmp_path: Path) -> AsyncIterator[Callable[[int], Awaitable[Town]]]:
    """A town with its server; the server is stopped at the end."""
    servers: list[Server] = []
    async with AsyncExitStack() as databases:

        async def found(seed: int) -> Town:
            given = os.environ.get("DATABASE_URL")
            url = await databases.enter_async_context(fresh_database(given)) if given else None
            root = make_repository(tmp_path / "wheelwright", FILES)
            (root / ".env").write_text("SPOKES=8\n")
            server = Server(tmp_path, {"DATABASE_URL": url} if url else {})
            servers.append(server)
            (tmp_path / "notes.txt").touch()
            town = Town(await server.start(), root, tmp_path / "notes.txt", seed, url)
            await town.found()
            return town

        yield found
        for server in servers:
            if server.is_running:
                assert await server.stop() == 0


@pytest.mark.parametrize(("victim", "kills", "seed"), _cases())
async def test_whatever_is_killed_all_stays_true(
    victim: str, kills: int, seed: int, found_town: Callable[[int], Awaitable[Town]]
) -> None:
    if victim == "database" and os.environ.get("DATABASE_URL"):
        pytest.skip("The database of DATABASE_URL is not ours to kill.")
    assert os.access(AGENT, os.X_OK)
    town = await found_town(seed)
    kill = {"server": town.kill_server, "agent": town.kill_agent, "database": town.kill_database}[victim]
    try:
        for n in range(1, kills + 1):
            async with town.at_work():
                await town.aim()
                await kill()
                await town.check()
            print(f"{victim} {n} of {kills}", flush=True)
            if n % ROUND == 0 or n == kills:
                await town.rest()
    finally:
        print(f"\n{victim}: {town.told()}")
    assert town.heard.count > 0
    assert len(town.witness.files) > 0
