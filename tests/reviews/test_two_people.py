"""Twenty tasks, three agents that are let go at the same moment, two people who approve whatever waits."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from litestar import Litestar
from msgspec import Struct

from app.postgres.reading import rows
from app.tasks.rows import TaskRow, get_task
from tests.conftest import HOST
from tests.git.repositories import user
from tests.invariants import Witness, check_all
from tests.visitor import Visitor, forms_of
from tests.workshop import PATIENCE_S, Workshop

TASKS = 20
AGENTS = 3
#: Seconds for everything: twenty worktrees, runs and merges, on a machine that does other things too.
LONG_S = 6 * PATIENCE_S
#: Waits until it is let go, then is done at once.
HELD = """
echo "$AGENTPANE_TASK_ID" > "$AGENTPANE_TASK_ID.txt"
touch {held}/"$AGENTPANE_RUN_ID"
while [ ! -e {release} ]; do sleep 0.02; done
"""
_WAITING = re.compile(r'data-task-id="(\w+)" data-column="waiting_approval"')
_VERIFIED = re.compile(r'data-task-id="(\w+)" data-column="verified"')


class _Merged(Struct):
    task_id: str
    new_oid: str
    status: str


@pytest.fixture
async def two_people(app: Litestar, database: str) -> AsyncIterator[list[Visitor]]:
    """Two browsers, each with its own cookies."""
    transport = httpx.ASGITransport(app)
    clients = [httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", timeout=60) for _ in range(2)]
    yield [Visitor(client) for client in clients]
    for client in clients:
        await client.aclose()


async def test_each_is_merged_once_in_the_order_of_approval(
    database: str, workshop: Workshop, two_people: list[Visitor]
) -> None:
    tasks = await _all_let_go_at_once(workshop)
    witness = Witness(workshop.root)
    async with asyncio.timeout(LONG_S):
        names = ("Mara Lindqvist", "Noah Adler")
        counts = await asyncio.gather(*map(_approves_all, two_people, names, [workshop] * 2, [witness] * 2))
    print(f"approved by {dict(zip(names, counts, strict=True))}")
    assert sum(counts) == TASKS

    verified = sorted([await get_task(task.id) for task in tasks], key=lambda task: task.approved_at)
    assert {task.column for task in verified} == {"verified"}
    merges = await rows(_Merged, "SELECT task_id, new_oid, status FROM merges WHERE status <> 'refused'")
    assert sorted((merge.task_id, merge.status) for merge in merges) == sorted((task.id, "done") for task in tasks)
    commit_of = {merge.task_id: merge.new_oid for merge in merges}
    history = user(workshop.root, "rev-list", "--first-parent", "--reverse", "main").splitlines()[1:]
    assert history == [commit_of[task.id] for task in verified]
    assert all(user(workshop.root, "show", f"main:{task.id}.txt") == task.id for task in tasks)
    assert (user(workshop.root, "status", "--porcelain"), user(workshop.root, "symbolic-ref", "--short", "HEAD")) == (
        "", "main",
    )  # fmt: skip
    await check_all(database, [witness])


async def _all_let_go_at_once(workshop: Workshop) -> list[TaskRow]:
    """Twenty tasks in the queue, of which the three that are at work wait for the same moment, which has come now."""
    held, release = workshop.folder / "held", workshop.folder / "release"
    held.mkdir()
    for number in range(AGENTS):
        await workshop.agent(f"agent-{number}", HELD.format(held=held, release=release))
    tasks = [await workshop.task(f"Task {number}") for number in range(TASKS)]
    async with asyncio.timeout(LONG_S):
        while len(list(held.iterdir())) < AGENTS:
            await asyncio.sleep(0.02)
    release.touch()
    return tasks


async def _approves_all(person: Visitor, name: str, workshop: Workshop, witness: Witness) -> int:
    """Approve whatever waits until nothing is left; how many were approved by this person."""
    dice, approved = random.Random(name), 0
    happened = asyncio.Event()
    unlisten: Callable[[], None] = workshop.fanout.listen(lambda _: happened.set())
    board = f"/projects/{workshop.project.id}"
    try:
        while len(_VERIFIED.findall(page := await person.page(board))) < TASKS:
            witness.look()
            if waiting := _WAITING.findall(page):
                approved += await _approves(person, name, dice.choice(waiting))
            else:
                await happened.wait()
            happened.clear()
    finally:
        unlisten()
    return approved


async def _approves(person: Visitor, name: str, task: str) -> bool:
    """Read a review and approve what it shows; whether that was taken. The other person may always be quicker."""
    page = await person.get(f"/tasks/{task}/review")
    form = next((form for form in forms_of(page.text) if form.action.endswith("/approve")), None)
    if form is None:
        return False
    answer = await person.client.post(form.action, data=form.fields | {"approved_by": name})
    assert answer.status_code in (303, 409), answer.text
    return answer.status_code == 303
