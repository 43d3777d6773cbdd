"""What the database says of runs is made true of the machine, every few seconds."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from app.postgres.reading import execute
from app.processes import trees
from app.projects.rows import ProjectRow
from app.runners.base import ToolStarted
from app.runs import engine as engines
from app.runs.engine import Engine
from app.runs.reconciling import Reconciler, end_orphans
from app.runs.recovering import recover
from app.runs.rows import get_run
from app.tasks.rows import get_task
from tests.invariants import check_all
from tests.work import begin, say
from tests.workshop import Workshop

Stray = Callable[[str], Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def stray() -> AsyncIterator[Stray]:
    """Start a process with the mark of a run, in a session of its own, that ends only when it is made to."""
    started: list[asyncio.subprocess.Process] = []

    async def start(run_id: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            "tail", "-f", "/dev/null", env={**os.environ, "AGENTPANE_RUN_ID": run_id}, start_new_session=True
        )
        started.append(process)
        assert trees.find_marked(run_id) == [process.pid]
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_run_that_nobody_drives_is_ended_in_the_second_round(project: ProjectRow, stray: Stray) -> None:
    claim = await begin(project.id, "Count the spokes")
    left = await stray(claim.run_id)
    reconciler = Reconciler()
    assert await reconciler.round([]) == []
    assert (await get_run(claim.run_id)).is_live
    (lost,) = await reconciler.round([])
    assert lost.id == claim.run_id
    run = await get_run(claim.run_id)
    assert (run.status, run.error_type) == ("error", "interrupted")
    assert (await get_task(claim.task_id)).column == "in_progress"
    await asyncio.wait_for(left.wait(), 10)
    assert await reconciler.round([]) == []


async def test_a_run_that_is_driven_is_left_alone(project: ProjectRow, stray: Stray) -> None:
    claim = await begin(project.id, "Count the spokes")
    process = await stray(claim.run_id)
    reconciler = Reconciler()
    for _ in range(3):
        assert await reconciler.round([claim.run_id]) == []
    assert trees.is_alive(process.pid, None)


async def test_a_process_that_outlives_its_run_is_ended(project: ProjectRow, stray: Stray) -> None:
    claim = await begin(project.id, "Count the spokes")
    await recover()
    orphan = await stray(claim.run_id)
    assert await end_orphans() == 1
    await asyncio.wait_for(orphan.wait(), 10)


async def test_the_processes_of_somebody_else_are_left_alone(project: ProjectRow, stray: Stray) -> None:
    theirs = await stray("a-run-of-another-server")
    assert await end_orphans() == 0
    assert trees.is_alive(theirs.pid, None)


async def test_the_engine_does_it_by_itself(
    engine: Engine, workshop: Workshop, stray: Stray, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await workshop.task("Say it", agent=await workshop.agent("bob", "echo done > done.txt"))
    await workshop.until(task, "waiting_approval")
    (run,) = await workshop.runs(task)
    await engine.stop()
    orphan = await stray(run.id)
    monkeypatch.setattr(engines, "TICK_S", 0.1)
    engine.start()
    await asyncio.wait_for(orphan.wait(), 10)


async def test_turns_are_counted_also_when_the_work_cannot_be_saved(database: str, project: ProjectRow) -> None:
    claim = await begin(project.id, "Count the spokes")
    await say(claim, ToolStarted(call_id="1", tool="Bash", input={"command": "ls"}, turn=2))
    await execute("UPDATE worktrees SET status = 'error' WHERE id = $1", claim.worktree_id)
    await recover()
    assert (await get_run(claim.run_id)).work_saved is False
    assert (await get_task(claim.task_id)).turn_count == 2
    await check_all(database, deep=False)
