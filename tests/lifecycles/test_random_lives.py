"""Random lives of a project: whatever people, agents, crashes and conflicts do, nothing is lost and nothing untrue."""

import asyncio
import os
import secrets
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import Phase, seed, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from app.postgres import migrations, pool
from app.postgres.reading import execute
from tests.databases import fresh_database
from tests.git.repositories import make_repository
from tests.lifecycles.machine import Life
from tests.lifecycles.nursery import Nursery
from tests.lifecycles.world import OBSERVER, Stage

#: Steps that every change is tested with, and those of the long search, which `LIFECYCLES_STEPS` sets.
STEPS = 2_000
SOAK_STEPS = int(os.environ.get("LIFECYCLES_STEPS", "50000"))
STEPS_OF_A_LIFE = 50
LIVES_OF_A_SEED = 10
#: The first seed; each next one is one more. The long search begins anywhere unless `LIFECYCLES_SEED` says where.
SEED = 1
SOAK_SEED = int(os.environ.get("LIFECYCLES_SEED") or secrets.randbelow(10**6))


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    """A loop and a database apart from those of the other tests, and the process from which servers are forked."""
    log, engine = tmp_path / "servers.log", pool.engine()
    nursery, before, loop = Nursery(log), (engine.config, engine.pool), asyncio.new_event_loop()
    engine.pool = None
    databases = fresh_database(database_url)
    url = loop.run_until_complete(databases.__aenter__())
    try:
        observer = loop.run_until_complete(_open(url))
        template = make_repository(
            tmp_path / "template",
            {
                "README.md": "# Wheelwright\n",
                "src/app.py": "print('hub')\n",
                ".gitignore": "*.log\n",
                "data/ä ö.txt": "0\n",
            },
        )
        yield Stage(loop, url, template, tmp_path, nursery, log, observer)
    finally:
        nursery.close()
        loop.run_until_complete(pool.disconnect())
        loop.run_until_complete(databases.__aexit__(None, None, None))
        loop.close()
        engine.config, engine.pool = before


async def _open(url: str) -> asyncpg.Connection:
    await migrations.migrate(url)
    name = url.rpartition("/")[2].partition("?")[0]
    engine = pool.engine()
    engine.config = {"dsn": url, "server_settings": {"application_name": OBSERVER}}
    await engine.start_connection_pool(min_size=1, max_size=4)
    # A server that is killed loses nothing of this; only a machine that loses its power would.
    await execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    return await asyncpg.connect(url, server_settings={"application_name": OBSERVER})


def test_random_lives_lose_nothing_and_tell_no_lies(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    _live(stage, STEPS, SEED, capsys, again=True)


@pytest.mark.soak
def test_long_random_lives_lose_nothing_and_tell_no_lies(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    _live(stage, SOAK_STEPS, SOAK_SEED, capsys, again=False)


def _live(stage: Stage, steps: int, first_seed: int, capsys: pytest.CaptureFixture[str], *, again: bool) -> None:
    """At least so many steps, in lives that begin with one seed after another; each seed is printed with its steps.

    No two lives are the same to the instant. With `again` a seed that goes wrong is lived once more: what goes wrong
    twice fails, and what goes wrong once is printed whole, so that a rare moment stops nobody and is not hidden.
    """

    class Here(Life):
        pass

    Here.stage = stage
    # A life hardly ever goes wrong twice in the same way, so looking for a shorter one takes minutes and finds none.
    chosen = settings(
        max_examples=LIVES_OF_A_SEED,
        stateful_step_count=STEPS_OF_A_LIFE,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
    )
    number = first_seed
    while Here.steps < steps:
        began, before = time.monotonic(), Here.steps
        try:
            _live_from(number, Here, chosen, capsys, again=again)
        finally:
            took = time.monotonic() - began
            with capsys.disabled():
                print(f"\nrandom lives: seed {number}, {Here.steps - before} steps in {took:.1f} s", flush=True)
        number += 1
    with capsys.disabled():
        print(f"random lives: {Here.steps} steps in all, seeds {first_seed} to {number - 1}", flush=True)


def _live_from(
    number: int, life: type[Life], chosen: settings, capsys: pytest.CaptureFixture[str], *, again: bool
) -> None:
    try:
        run_state_machine_as_test(seed(number)(life), settings=chosen)
    except (AssertionError, Flaky, BaseExceptionGroup):
        if not again:
            raise
        with capsys.disabled():
            print(f"\nrandom lives: seed {number} went wrong once, and is lived again:\n{traceback.format_exc()}")
        run_state_machine_as_test(seed(number)(life), settings=chosen)
