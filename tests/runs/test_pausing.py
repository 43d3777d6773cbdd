"""A run rests when somebody asks, and goes on: with a program that knows turns, and with one that stands still."""

import asyncio
from pathlib import Path

import pytest

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.agents.rows import get_agent
from app.errors import Conflict
from app.events.reading import of_session
from app.postgres.reading import scalar
from app.processes import trees
from app.projects.rows import ProjectRow
from app.runners.base import GO_ON
from app.runs import engine as engines
from app.runs.cancelling import cancel
from app.runs.engine import Engine
from app.runs.pausing import request_pause, resume, stand_still
from app.runs.reconciling import Reconciler
from app.runs.recovering import recover
from app.runs.rows import RunRow, get_run
from app.runs.stopping import stop_run
from app.runs.tables import RunDetail
from app.sessions.messaging import send
from app.sessions.rows import queued_messages
from app.tasks.rows import TaskRow, get_task
from tests.git.repositories import user
from tests.scripted_model import ScriptedModel
from tests.scripted_model.fixture import *  # noqa: F403
from tests.work import begin, end, launch
from tests.workshop import MARA, Workshop

#: Counts until it is released.
COUNTS = (
    "echo $$ > pid; n=0; while [ ! -e release ]; do n=$((n+1)); echo $n > count; sleep 0.01; done; echo work > work.txt"
)


@pytest.fixture
def claude_home(scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment in which Claude Code finds the scripted model, and no home of anybody."""
    pytest.importorskip("claude_agent_sdk")
    (tmp_path / "home").mkdir()
    for name, value in {**scripted_model.env, "HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)


async def live(workshop: Workshop, task: TaskRow) -> RunRow:
    """The newest run of a task, once its program is up."""

    async with asyncio.timeout(30):
        while True:  # Its pid is written without an event.
            runs = await workshop.runs(task)
            if runs and runs[-1].pid and runs[-1].status == "running":
                return runs[-1]
            await asyncio.sleep(0.02)


async def held(workshop: Workshop, scenario: str = "held") -> tuple[TaskRow, RunRow, Path]:
    """A Claude agent in the middle of a command, its run, and its worktree."""
    bob = await create_agent(workshop.project.id, AgentForm(name="bob"), MARA)
    task = await workshop.task("Greet", agent=bob, description=f"SCENARIO:{scenario}")
    run = await live(workshop, task)
    worktree = (await workshop.file("*/hello.txt")).parent
    async with asyncio.timeout(30):
        while not (worktree / "held").exists():
            await asyncio.sleep(0.02)
    return await get_task(task.id), run, worktree


async def rested(workshop: Workshop) -> tuple[TaskRow, RunRow, Path]:
    """The same, after a pause has come."""
    task, run, worktree = await held(workshop)
    await request_pause(run, MARA)
    (worktree / "release").touch()
    await workshop.until(task, "paused")
    return task, await get_run(run.id), worktree


async def counting(workshop: Workshop) -> tuple[TaskRow, RunRow, Path]:
    """A command at work, its run, and its worktree."""
    task = await workshop.task("Count", agent=await workshop.agent("bob", COUNTS))
    worktree = (await workshop.file("*/count")).parent
    return task, await live(workshop, task), worktree


async def status_lines(task: TaskRow) -> list[str]:
    events = await of_session((await get_task(task.id)).session_id or "", 0)
    return [event.payload["text"] for event in events if event.kind == "status" and event.payload.get("text")]


@pytest.mark.usefixtures("claude_home")
class TestClaude:
    """It rests between two turns, without a process."""

    async def test_it_rests_after_its_turn_and_goes_on_with_a_message(
        self, workshop: Workshop, scripted_model: ScriptedModel
    ) -> None:
        task, run, _ = await rested(workshop)
        assert (run.status, run.rests, run.pid, run.turn_count) == ("paused", True, None, 2)
        assert trees.find_marked(run.id) == []
        agent = await get_agent(run.agent_id)
        assert (agent.status, agent.current_task_id) == ("paused", task.id)
        spent, cost = run.token_output_count, run.cost_usd_micros
        assert (spent, bool(cost)) == (84, True)

        await resume(run, MARA, "And say it to Jo, please.")
        task = await workshop.until(task, "waiting_approval")
        (ended,) = await workshop.runs(task)
        assert (ended.id, ended.number, ended.status, ended.turn_count) == (run.id, 1, "completed", 3)
        assert (ended.token_output_count, ended.cost_usd_micros) == (3 * 42, pytest.approx(1.5 * (cost or 0), rel=0.01))
        assert ended.native_session_id == run.native_session_id
        assert scripted_model.asked[-1].heard == "And say it to Jo, please."
        assert [line for line in await status_lines(task) if "Run 1" in line or "pause" in line] == [
            "Run 1 began", "Mara Lindqvist asked for a pause", "Run 1 rests", "Mara Lindqvist ended the pause",
            "Run 1 goes on", "Run 1 ended: 1 file, +1 −0",
        ]  # fmt: skip
        said = [(e.actor, e.payload["text"]) for e in await of_session(task.session_id or "", 0) if e.kind == "message"]
        assert ("Mara Lindqvist", "And say it to Jo, please.") in said

    async def test_without_a_message_it_goes_on_where_it_stopped(
        self, workshop: Workshop, scripted_model: ScriptedModel
    ) -> None:
        task, run, _ = await rested(workshop)
        await resume(run, MARA)
        task = await workshop.until(task, "waiting_approval")
        (ended,) = await workshop.runs(task)
        assert (ended.result, ended.turn_count) == ("All done: wrote hello.txt.", 3)
        assert scripted_model.asked[-1].heard == GO_ON

    async def test_messages_wait_until_it_is_resumed(self, workshop: Workshop, scripted_model: ScriptedModel) -> None:
        task, run, _ = await rested(workshop)
        await send(run.session_id or "", "First.", MARA)
        assert [message.text for message in await queued_messages(run.session_id or "")] == ["First."]
        await resume(run, MARA, "Second.")
        task = await workshop.until(task, "waiting_approval")
        assert scripted_model.asked[-1].heard == "First.\n\nSecond."
        assert len(await workshop.runs(task)) == 1

    async def test_it_rests_through_the_end_of_a_server_and_goes_on_in_the_next(
        self, workshop: Workshop, engine: Engine
    ) -> None:
        task, run, _ = await rested(workshop)
        await engine.stop()
        assert await recover() == []
        reconciler = Reconciler()
        assert [await reconciler.round([]), await reconciler.round([])] == [[], []]
        # Resumed while no server is there to hear of it.
        await resume(run, MARA)
        assert (await get_run(run.id)).status == "paused"
        engine.start()
        engine._closed = False
        task = await workshop.until(task, "waiting_approval")
        assert [(ended.id, ended.turn_count) for ended in await workshop.runs(task)] == [(run.id, 3)]

    async def test_stopped_while_it_rests(self, workshop: Workshop) -> None:
        task, run, _ = await rested(workshop)
        stopped = await stop_run(run, MARA)
        assert (stopped.error_type, stopped.work_saved, stopped.turn_count) == ("stopped", True, 2)
        assert (stopped.token_output_count, stopped.native_session_id) == (84, run.native_session_id)
        agent = await get_agent(run.agent_id)
        assert (agent.status, agent.current_task_id) == ("error", task.id)
        with pytest.raises(Conflict):
            await resume(run, MARA)

    async def test_cancelled_while_it_rests(self, workshop: Workshop) -> None:
        task, run, _ = await rested(workshop)
        task = await cancel(task.id, actor=MARA)
        assert (task.column, (await get_agent(run.agent_id)).status) == ("backlog", "idle")
        assert "hello.txt" in user(workshop.root, "ls-tree", "--name-only", task.branch or "")

    async def test_a_pause_taken_back_before_it_came(self, workshop: Workshop) -> None:
        task, run, worktree = await held(workshop)
        await request_pause(run, MARA)
        await resume(run, MARA)
        (worktree / "release").touch()
        task = await workshop.until(task, "waiting_approval")
        assert "Run 1 rests" not in await status_lines(task)

    async def test_its_rest_counts_for_nothing(self, workshop: Workshop) -> None:
        task, run, _ = await rested(workshop)
        await asyncio.sleep(1)
        await resume(run, MARA)
        await workshop.until(task, "waiting_approval")
        ended = await get_run(run.id)
        assert ended.completed_at is not None
        passed = (ended.completed_at - ended.started_at).total_seconds() * 1000
        assert ended.duration == pytest.approx(passed - ended.paused_ms, abs=2)
        assert ended.paused_ms >= 1000


class TestCommand:
    """It stands still where it is."""

    async def test_it_stands_still_and_goes_on(self, workshop: Workshop) -> None:
        task, run, worktree = await counting(workshop)
        await request_pause(run, MARA)
        await workshop.until(task, "paused")
        run = await get_run(run.id)
        assert (run.status, run.rests, bool(run.pid)) == ("paused", False, True)
        before = (worktree / "count").read_text()
        (worktree / "release").touch()
        await asyncio.sleep(0.1)
        assert (worktree / "count").read_text() == before
        await resume(run, MARA)
        task = await workshop.until(task, "waiting_approval")
        (ended,) = await workshop.runs(task)
        assert (ended.id, ended.error_type) == (run.id, None)

    async def test_a_message_with_the_resume_is_the_next_run(self, workshop: Workshop) -> None:
        task, run, worktree = await counting(workshop)
        await request_pause(run, MARA)
        await workshop.until(task, "paused")
        (worktree / "release").touch()
        await resume(run, MARA, "Once more.")
        task = await workshop.until(task, "waiting_approval")
        first, second = await workshop.runs(task)
        assert (first.id, second.cause) == (run.id, "message")
        assert "Once more." in second.prompt

    async def test_one_that_stood_still_when_the_server_went_is_interrupted(
        self, workshop: Workshop, engine: Engine
    ) -> None:
        task, run, worktree = await counting(workshop)
        await request_pause(run, MARA)
        await workshop.until(task, "paused")
        await engine.stop()
        ended = await get_run(run.id)
        assert (ended.error_type, ended.work_saved) == ("interrupted", True)
        assert not trees.is_alive(int((worktree / "pid").read_text()), None)

    async def test_stopped_while_it_stands_still(self, workshop: Workshop) -> None:
        task, run, worktree = await counting(workshop)
        await request_pause(run, MARA)
        await workshop.until(task, "paused")
        stopped = await stop_run(run, MARA)
        assert (stopped.error_type, stopped.pause_requested, stopped.paused_at) == ("stopped", False, None)
        assert not trees.is_alive(int((worktree / "pid").read_text()), None)

    async def test_killed_by_somebody_while_it_stands_still(self, workshop: Workshop) -> None:
        task, run, worktree = await counting(workshop)
        await request_pause(run, MARA)
        await workshop.until(task, "paused")
        trees.send(int((worktree / "pid").read_text()), 9)
        await workshop.until(task, "error")
        assert (await get_run(run.id)).error_type == "process_exit"

    async def test_what_nobody_told_the_engine_of_is_found(
        self, workshop: Workshop, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task, run, worktree = await counting(workshop)
        monkeypatch.setattr(engines, "TICK_S", 0.1)
        await RunDetail.update({RunDetail.pause_requested: True}).where(RunDetail.run_id == run.id)
        await workshop.until(task, "paused")
        await RunDetail.update({RunDetail.pause_requested: False}).where(RunDetail.run_id == run.id)
        (worktree / "release").touch()
        await workshop.until(task, "waiting_approval")


class TestBeginning:
    """A pause that is asked for before there is a program."""

    async def test_it_comes_when_the_program_would_start(self, workshop: Workshop) -> None:
        await workshop.configure(
            install_command=("sh", "-c", "echo up > up; while [ ! -e ready ]; do sleep 0.02; done")
        )
        task = await workshop.task("Count", agent=await workshop.agent("bob", "cat > asked.txt"))
        worktree = (await workshop.file("*/up")).parent
        (run,) = await workshop.runs(task)
        await request_pause(run, MARA)
        (worktree / "ready").touch()
        await workshop.until(task, "paused")
        assert (await get_run(run.id)).rests
        assert not (worktree / "asked.txt").exists()
        await resume(run, MARA, "Quickly.")
        task = await workshop.until(task, "waiting_approval")
        first, second = await workshop.runs(task)
        assert (first.id, first.turn_count, second.cause) == (run.id, 0, "message")
        assert user(workshop.root, "log", "--format=%s", task.branch or "").count("Run 1") == 0
        told = await scalar(
            "SELECT count(*) FROM events WHERE session_id = $1 AND kind = 'message' AND payload ->> 'text' = 'Count'",
            task.session_id,
        )
        assert told == 1

    async def test_paused_again_before_it_could_go_on(self, project: ProjectRow, workshop: Workshop) -> None:
        await workshop.configure(
            install_command=("sh", "-c", "echo up > up; while [ ! -e ready ]; do sleep 0.02; done")
        )
        task = await workshop.task("Count", agent=await workshop.agent("bob", "echo work > work.txt"))
        worktree = (await workshop.file("*/up")).parent
        (run,) = await workshop.runs(task)
        await request_pause(run, MARA)
        (worktree / "ready").touch()
        await workshop.until(task, "paused")
        for _ in range(5):
            await resume(run, MARA)
            await request_pause(run, MARA)
        await resume(run, MARA)
        await workshop.until(task, "waiting_approval")


class TestStarts:
    """What a start finds of paused runs whose server was killed."""

    async def test_one_that_had_a_process_is_interrupted_and_one_that_rests_is_not(self, project: ProjectRow) -> None:
        stood, at_rest = await begin(project.id, "Stood still"), await begin(project.id, "Rests")
        for claim in (stood, at_rest):
            assert await launch(claim) is not None
            await stand_still(claim)
        await RunDetail.update({RunDetail.boot_id: None}).where(RunDetail.run_id == at_rest.run_id)
        assert [run.id for run in await recover()] == [stood.run_id]
        assert (await get_run(stood.run_id)).error_type == "interrupted"
        rests = await get_run(at_rest.run_id)
        assert (rests.is_live, rests.status, (await get_agent(at_rest.agent_id)).status) == (True, "paused", "paused")

    async def test_the_end_of_a_run_is_written_once(self, project: ProjectRow) -> None:
        claim = await begin(project.id)
        await asyncio.gather(end(claim, "stopped"), end(claim, "process_exit", "It fell."), end(claim, "interrupted"))
        endings = "SELECT count(*) FROM events WHERE kind = 'error' AND session_id = $1"
        assert await scalar(endings, claim.session_id) == 1


class TestAsking:
    """What can be asked for, and what is refused."""

    async def test_asking_twice_is_asking_once(self, project: ProjectRow) -> None:
        run = await get_run((await begin(project.id)).run_id)
        assert (await request_pause(run, MARA)).pause_requested
        assert (await request_pause(run, MARA)).pause_requested
        assert await scalar("SELECT count(*) FROM events WHERE kind = 'run.pause_requested'") == 1
        assert not (await resume(run, MARA)).pause_requested

    async def test_what_goes_on_cannot_be_resumed_but_told(self, project: ProjectRow) -> None:
        run = await get_run((await begin(project.id)).run_id)
        with pytest.raises(Conflict, match="not paused") as refusal:
            await resume(run, MARA)
        assert refusal.value.code == "AGENT_NOT_RUNNING"
        await resume(run, MARA, "Hear this all the same.")
        assert [message.text for message in await queued_messages(run.session_id or "")] == ["Hear this all the same."]

    async def test_what_has_ended_or_is_being_stopped_is_refused(self, project: ProjectRow) -> None:
        run = await get_run((await begin(project.id)).run_id)
        await RunDetail.update({RunDetail.stop_requested: "stopped"}).where(RunDetail.run_id == run.id)
        for verb in (request_pause, resume):
            with pytest.raises(Conflict, match="being stopped"):
                await verb(run, MARA)
        await recover()
        for verb in (request_pause, resume):
            with pytest.raises(Conflict, match="ended already"):
                await verb(run, MARA)
