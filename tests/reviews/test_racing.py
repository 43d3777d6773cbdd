"""Approvals of several people in a checkout in which somebody commits all the time: each merged once, nothing lost."""

import asyncio
from pathlib import Path

import pytest

from app.errors import Conflict
from app.git.merging import METHODS
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.tasks.rows import TaskRow, get_task
from tests.git.racing import Race, committing_person, require_nothing_lost
from tests.git.repositories import make_repository, user, write
from tests.reviews.waiting import approve_now, finished
from tests.work import MARA

#: Refusals after which a person looks again and approves again.
_AGAIN = ("TASK_STALE_DIFF", "CHECKOUT_BUSY")

#: Somebody who looks and approves needs the base to stand still for as long as that takes.
PAUSES_S = (0.1, 0.5, 5.0)


@pytest.mark.parametrize("rounds", [6, pytest.param(40, marks=pytest.mark.soak)])
async def test_two_people_approve_while_a_third_commits(
    database: str, tmp_path: Path, rounds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_repository(tmp_path / "copy", {"mine": "0\n"})
    project = await create_project(NewProject(path=str(root), max_concurrent_agents=10), MARA)
    tasks = {name: await finished(project, put(name), name) for name in (f"agent-{n}" for n in range(rounds))}
    async with asyncio.timeout(20 * rounds), committing_person(root, PAUSES_S) as race:
        names = list(tasks)
        await asyncio.gather(*(approve_all(race, {n: tasks[n] for n in names[half::2]}) for half in (0, 1)))
    require_nothing_lost(race)
    brought = user(root, "log", "--first-parent", "--reverse", "--format=%s", "--grep=^agent-", "main").splitlines()
    # Each once, in the order in which they were approved.
    assert sorted(brought) == sorted(tasks)
    approved = sorted([await get_task(task.id) for task in tasks.values()], key=lambda task: str(task.approved_at))
    assert [task.title for task in approved] == brought
    with capsys.disabled():
        print(race.line("raced with approve() by two people"))


def put(name: str):
    return lambda root: write(root, {name: "agent\n"})


async def approve_all(race: Race, tasks: dict[str, TaskRow]) -> None:
    for number, (name, task) in enumerate(tasks.items()):
        while (refused := await refusal_of_one(task, METHODS[number % 3])) is not None:
            assert refused in _AGAIN
            race.told(refused)
        race.merged.append(name)


async def refusal_of_one(task: TaskRow, method: str) -> str | None:
    try:
        await approve_now(task, merge_method=method, message=task.title)
    except Conflict as conflict:
        return conflict.code
    return None
