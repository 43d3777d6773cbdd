"""The server goes away in the middle of a run, on purpose or not: the run says so, and can be taken up again."""

import asyncio
import os

import pytest
from litestar import Litestar

from app.accounts.people import Person
from app.agents.rows import get_agent
from app.events.reading import of_session
from app.permissions.waiting import Waiting
from app.postgres.reading import execute, scalar
from app.processes import trees
from app.projects.rows import ProjectRow
from app.runners.base import Message, TextDelta, ToolFinished, ToolRunning, ToolStarted
from app.runners.registry import RUNNERS
from app.runs import engine as engines
from app.runs.claiming import claim_next
from app.runs.driving import Drive
from app.runs.engine import Engine
from app.runs.recovering import recover
from app.runs.retrying import retry
from app.runs.rows import get_run
from app.runs.tables import RunDetail
from app.sessions.queries import session_page
from app.sessions.rows import get_session
from app.tasks.creating import create_task
from app.tasks.forms import NewTask
from app.tasks.rows import get_task
from app.worktrees.rows import get_worktree, steps_of
from tests.git.repositories import user
from tests.work import begin, say
from tests.workshop import MARA, Workshop

SLEEP = "echo $$ > pid; echo work > work.txt; [ -e again ] && exit 0; exec tail -f /dev/null"


@pytest.fixture
def quick_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that looks around often."""
    monkeypatch.setattr(engines, "TICK_S", 0.2)


async def test_a_server_that_stops_interrupts_its_runs_and_the_next_one_takes_them_up(
    engine: Engine, workshop: Workshop
) -> None:
    bob = await workshop.agent("bob", SLEEP)
    task = await workshop.task("Watch", agent=bob)
    pid_file = await workshop.file("*/pid")
    await workshop.until(task, "running")
    await engine.stop()
    assert not trees.is_alive(int(pid_file.read_text()), None)
    (run,) = await workshop.runs(task)
    assert (run.status, run.error_type, run.is_live, run.work_saved) == ("error", "interrupted", False, True)
    assert user(workshop.root, "show", f"{(await get_task(task.id)).branch}:work.txt") == "work"
    # The next server finds nothing to mend, and takes it up when it is asked to.
    assert await recover() == []
    (pid_file.parent / "again").touch()
    next_engine = Engine(workshop.app.state.settings, RUNNERS, workshop.fanout)
    next_engine.start()
    try:
        await workshop.until(task, "error")
        await retry(bob.id, MARA)
        await workshop.until(task, "waiting_approval")
    finally:
        await next_engine.stop()
    assert [run.status for run in await workshop.runs(task)] == ["error", "completed"]


async def test_a_server_that_was_killed_is_found_out_by_the_next_one(project: ProjectRow) -> None:
    claim = await begin(project.id, "Count the spokes")
    await execute("UPDATE agents SET status = 'running' WHERE id = $1", claim.agent_id)
    await execute("UPDATE agent_runs SET status = 'running' WHERE id = $1", claim.run_id)
    worktree = await get_worktree(claim.worktree_id)
    (worktree.root / "work.txt").write_text("work\n")
    await say(
        claim,
        ToolStarted(call_id="1", tool="Bash", input={"command": "ls"}, turn=1),
        ToolFinished(call_id="1", status="complete", output={}, duration_ms=5),
        Message(message_id="m1", text="I count.", turn=1),
        ToolStarted(call_id="2", tool="Bash", input={"command": "make"}, turn=2),
        ToolRunning(call_id="2"),
    )
    await say(claim, TextDelta(message_id="m2", text="So far there are "))
    await say(claim, TextDelta(message_id="m2", text="seven"))
    # A process of the run that outlived its guard.
    stray = await asyncio.create_subprocess_exec(
        "tail", "-f", "/dev/null", env={**os.environ, "AGENTPANE_RUN_ID": claim.run_id}, start_new_session=True
    )
    assert trees.find_marked(claim.run_id) == [stray.pid]

    (found,) = await recover()

    assert found.id == claim.run_id
    await asyncio.wait_for(stray.wait(), 10)
    run = await get_run(claim.run_id)
    assert (run.status, run.error_type, run.work_saved, run.is_live) == ("error", "interrupted", True, False)
    task = await get_task(claim.task_id)
    assert (task.column, task.agent_id, task.files_changed) == ("in_progress", claim.agent_id, 1)
    assert user(worktree.root, "show", f"{task.branch}:work.txt") == "work"
    assert user(worktree.root, "status", "--porcelain") == ""
    assert (await get_agent(claim.agent_id)).status == "error"
    # Calls that were open are closed, what was being written is kept, and the counters agree with the rows.
    audit = await scalar("SELECT string_agg(status::text, ',' ORDER BY timestamp) FROM audit_logs")
    assert audit == "complete,error"
    assert [(summary.tool, summary.count, summary.total_duration) for summary in run.tool_calls] == [("Bash", 2, 5)]
    events = await of_session(claim.session_id, 0)
    said = [event.payload["text"] for event in events if event.kind == "message"]
    assert said == ["I count.", "So far there are seven"]
    assert not [event for event in events if event.payload.get("partial")]
    session = await get_session(claim.session_id)
    assert (session.message_count, session.tool_call_count) == (2, 2)
    page = await session_page(session, Person("p", "Mara"))
    assert page.drafts == ()
    assert await recover() == []


async def test_killed_while_a_worktree_was_being_made(project: ProjectRow) -> None:
    task = await create_task(project.id, NewTask(title="Count", start=True), MARA)
    claim = await claim_next(project.id)
    await execute(
        "UPDATE worktree_steps SET status = 'running', started_at = now() WHERE worktree_id = $1 AND name = 'add'",
        claim.worktree_id,
    )
    await recover()
    assert (await get_run(claim.run_id)).error_type == "interrupted"
    worktree = await get_worktree(claim.worktree_id)
    assert worktree.status == "error"
    assert [step.status for step in await steps_of(worktree.id)] == ["error", "pending", "pending", "pending"]
    assert (await get_agent(claim.agent_id)).status == "error"
    assert (await get_task(task.id)).column == "in_progress"


async def test_stopped_before_its_worktree_was_begun(app: Litestar, project: ProjectRow) -> None:
    await create_task(project.id, NewTask(title="Count", start=True), MARA)
    claim = await claim_next(project.id)
    await RunDetail.update({RunDetail.stop_requested: "stopped"}).where(RunDetail.run_id == claim.run_id)
    await Drive(claim, RUNNERS, app.state.settings, Waiting()).run()
    assert (await get_run(claim.run_id)).error_type == "stopped"
    worktree = await get_worktree(claim.worktree_id)
    assert (worktree.status, worktree.last_error) == ("error", "The run was stopped before its program began.")


async def test_a_request_to_stop_that_nobody_told_the_engine_of_is_found(quick_ticks: None, workshop: Workshop) -> None:
    """While the listener has no connection, notifications are lost."""
    task = await workshop.task("Watch", agent=await workshop.agent("bob", SLEEP))
    await workshop.file("*/pid")
    (run,) = await workshop.runs(task)
    await RunDetail.update({RunDetail.stop_requested: "stopped"}).where(RunDetail.run_id == run.id)
    await workshop.until(task, "error")
    assert (await get_run(run.id)).error_type == "stopped"


async def test_a_database_that_cuts_every_connection_leaves_no_run_behind(workshop: Workshop) -> None:
    talk = "for n in 1 2 3 4 5 6 7 8 9 10; do echo line $n; sleep 0.05; done"
    script = f"{talk}; echo work > work.txt; echo x > pid; while [ ! -e release ]; do sleep 0.02; done"
    task = await workshop.task("Talk", agent=await workshop.agent("bob", script))
    await workshop.file("*/pid")
    (run,) = await workshop.runs(task)
    await execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database() AND application_name LIKE 'agentpane%'"
    )
    (next((workshop.root / ".worktrees").glob("*")) / "release").touch()
    async with asyncio.timeout(30):
        while (await get_run(run.id)).is_live:
            await asyncio.sleep(0.05)
    ended = await get_run(run.id)
    assert ended.error_type in (None, "interrupted")
    assert (await get_task(task.id)).column == ("in_progress" if ended.error_type else "waiting_approval")
