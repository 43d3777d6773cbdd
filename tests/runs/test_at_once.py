"""People press several buttons at the same moment: each is carried out or refused, and what must hold does."""

import itertools
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.runs.at_once import COMMANDS, EXCLUSIVE, OFFERED, STATES, Stage
from tests.visitor import Visitor
from tests.workshop import Workshop


@pytest.fixture
async def stage(workshop: Workshop, visitor: Visitor, tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(workshop, visitor, tmp_path)
    gate = ("sh", "-c", f"while [ ! -e '{stage.gate}' ]; do sleep 0.02; done")
    await workshop.configure(install_command=gate)
    yield stage
    await stage.clear()


async def try_at_once(stage: Stage, state: str, commands: tuple[str, ...]) -> None:
    """Press `commands` at once on a task in `state`: no fault, no hang, and everything agrees with everything after."""
    task = await stage.task(state)
    answers = await stage.press(task, state, commands)
    codes = [answer.status_code for answer in answers]
    said = f"{state}: " + ", ".join(f"{command} {code}" for command, code in zip(commands, codes, strict=True))
    assert set(codes) <= {303, 404, 409}, said
    if (state, *sorted(commands)) in EXCLUSIVE:
        assert codes.count(303) == 1, said
    elif set(commands) <= set(OFFERED[state]):
        assert 303 in codes, said
    try:
        await stage.settle()
        await stage.clear()
        await stage.settle()
    except AssertionError as wrong:
        raise AssertionError(f"{said}: {wrong}") from wrong


@pytest.mark.parametrize("state", STATES)
async def test_what_a_page_offers_pressed_twice_or_by_two(stage: Stage, state: str) -> None:
    for pair in itertools.combinations_with_replacement(OFFERED[state], 2):
        await try_at_once(stage, state, pair)


@pytest.mark.parametrize("state", STATES)
async def test_any_three_at_random(stage: Stage, state: str) -> None:
    seed = int(os.environ.get("AGENTPANE_TEST_SEED") or random.randrange(10**6))
    print(f"AGENTPANE_TEST_SEED={seed}")
    chance = random.Random(f"{seed} {state}")
    for _ in range(2):
        await try_at_once(stage, state, tuple(chance.choices(COMMANDS, k=3)))


@pytest.mark.soak
@pytest.mark.parametrize("state", STATES)
async def test_every_two(stage: Stage, state: str) -> None:
    for pair in itertools.combinations_with_replacement(COMMANDS, 2):
        await try_at_once(stage, state, pair)
