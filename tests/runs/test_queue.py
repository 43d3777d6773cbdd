"""The queue is served in board order, and never by more agents at once than the project allows."""

import asyncio

from litestar import Litestar

from app.agents.configured import agent_configuration
from app.agents.rows import agents_of, get_agent
from app.postgres.reading import execute, scalar
from app.projects.locking import locked
from app.projects.rows import ProjectRow, get_project
from app.runs.claiming import claim_next, queued
from app.tasks.creating import create_task
from app.tasks.forms import NewTask
from app.tasks.moving import reorder
from app.tasks.rows import get_task
from tests.workshop import MARA, Workshop

#: The most runs that went on at one moment, by what the database says of their beginnings and ends.
AT_ONCE = (
    "SELECT max(n) FROM (SELECT (SELECT count(*) FROM agent_runs o"
    " WHERE o.started_at <= r.started_at AND coalesce(o.completed_at, 'infinity') > r.started_at) AS n"
    " FROM agent_runs r) AS counts"
)
HOLD = "echo x > held; while [ ! -e release ]; do sleep 0.02; done"


async def test_many_tasks_in_board_order_and_never_too_many_at_once(workshop: Workshop) -> None:
    await execute("UPDATE projects SET max_concurrent_agents = 2 WHERE id = $1", workshop.project.id)
    for name in ("one", "two", "three"):
        await workshop.agent(name, "sleep 0.1")
    tasks = [await workshop.task(f"Task {n}") for n in range(8)]
    for task in tasks:
        await workshop.until(task, "waiting_approval")
    begun = await scalar(
        "SELECT string_agg(t.title, ',' ORDER BY r.started_at) FROM agent_runs r JOIN tasks t ON t.id = r.task_id"
    )
    assert begun == ",".join(task.title for task in tasks)
    assert await scalar(AT_ONCE) == 2


async def test_a_card_moved_to_the_front_is_next(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", f'[ -z "$(grep -s . held)" ] && case $(cat) in First*) {HOLD};; esac')
    first = await workshop.task("First", agent=bob)
    held = await workshop.file("*/held")
    second, third = await workshop.task("Second", agent=bob), await workshop.task("Third", agent=bob)
    async with locked(workshop.project.id):
        await reorder(third, 0, actor=MARA)
    assert [task.title for task in await queued(workshop.project.id)] == ["Third", "Second"]
    (held.parent / "release").touch()
    for task in (first, second, third):
        await workshop.until(task, "waiting_approval")
    ends = [(await workshop.runs(task))[0].started_at for task in (first, third, second)]
    assert ends == sorted(ends)


async def test_a_task_that_names_its_agent_waits_for_it_and_holds_nobody_up(workshop: Workshop) -> None:
    bob, alice = await workshop.agent("bob", HOLD), await workshop.agent("alice", "true")
    busy = await workshop.task("Busy", agent=bob)
    held = await workshop.file("*/held")
    waits = await workshop.task("For Bob alone", agent=bob)
    later = await workshop.until(await workshop.task("For anybody"), "waiting_approval")
    assert (await workshop.runs(later))[0].agent_id == alice.id
    assert (await workshop.until(waits, "queued")).agent_id is None
    (held.parent / "release").touch()
    await workshop.until(busy, "waiting_approval")
    other = await workshop.file("*for-bob-alone/held")
    (other.parent / "release").touch()
    await workshop.until(waits, "waiting_approval")
    assert [run.agent_id for run in await workshop.runs(waits)] == [bob.id]


async def test_agents_are_made_with_the_projects_configuration_while_there_is_room(
    project: ProjectRow, app: Litestar
) -> None:
    await execute(
        "UPDATE projects SET config = config || $2 WHERE id = $1", project.id,
        '{"model": "claude-of-the-project", "maxTurns": 7, "allowedTools": ["Read"]}',
    )  # fmt: skip
    tasks = [await create_task(project.id, NewTask(title=f"Task {n}", start=True), MARA) for n in range(5)]
    claims = await asyncio.gather(*(claim_next(project.id) for _ in range(8)))
    begun = [claim for claim in claims if claim is not None]
    assert {claim.task_id for claim in begun} == {task.id for task in tasks[:3]}
    agents = await agents_of(project.id)
    assert sorted(agent.name for agent in agents) == ["claude-1", "claude-2", "claude-3"]
    holds = await agent_configuration(app.state.settings, await get_project(project.id), agents[0])
    assert (agents[0].config.runner, holds.text("model"), holds.number("maxTurns"), holds.allowed_tools) == (
        "claude", "claude-of-the-project", 7, ("Read",),
    )  # fmt: skip


async def test_a_claim_gives_everything_at_once(project: ProjectRow) -> None:
    task = await create_task(project.id, NewTask(title="Count the spokes", start=True), MARA)
    claim = await claim_next(project.id)
    agent, begun = await get_agent(claim.agent_id), await get_task(task.id)
    assert (agent.status, agent.current_task_id, agent.total_tasks) == ("starting", task.id, 1)
    assert (begun.agent_id, begun.session_id, begun.worktree_id) == (agent.id, claim.session_id, claim.worktree_id)
    assert begun.branch == f"agent/{task.id[:6]}/count-the-spokes"
    assert begun.metadata.pending is None
    assert await claim_next(project.id) is None


async def test_a_freed_agent_takes_the_next_task_in_the_transaction_that_frees_it(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", "true")
    tasks = [await workshop.task(f"Task {n}", agent=bob) for n in range(3)]
    for task in tasks:
        await workshop.until(task, "waiting_approval")
    # Rows of the log are never written again, so they carry the transaction that made them.
    together = await scalar(
        "SELECT count(*) FROM events freed JOIN events begun ON begun.xmin = freed.xmin AND begun.kind = 'task.begun'"
        " WHERE freed.kind = 'agent.completed' AND freed.subject = $1",
        bob.id,
    )
    assert together == 2


async def test_a_task_whose_worktree_is_just_being_removed_is_not_begun(project: ProjectRow) -> None:
    task = await create_task(project.id, NewTask(title="Again", start=True), MARA)
    claim = await claim_next(project.id)
    await execute("UPDATE tasks SET agent_id = NULL WHERE id = $1", task.id)
    await execute("UPDATE worktrees SET status = 'removing' WHERE id = $1", claim.worktree_id)
    assert await claim_next(project.id) is None
    await execute("UPDATE worktrees SET status = 'removed' WHERE id = $1", claim.worktree_id)
    again = await claim_next(project.id)
    assert again.task_id == task.id
    assert again.worktree_id != claim.worktree_id
