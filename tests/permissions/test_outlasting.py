"""A question outlasts the end of its server: the run goes on in the next, and one answer counts for one call."""

import asyncio

import pytest

from app.board.queries import board_of
from app.permissions.rows import PermissionRow, get_permission
from app.postgres.reading import execute, scalar
from app.processes import trees
from app.runners.base import Rested
from app.runs.engine import Engine
from app.runs.outlasting import ASK_AGAIN
from app.runs.pausing import request_pause, resume
from app.runs.recovering import recover
from app.runs.rows import get_run
from app.runs.stopping import stop_run
from app.tasks.queries import task_page
from app.tasks.rows import TaskRow, get_task
from tests.permissions.asking import asking_task, last_run, question, say, settled, tags, tags_now
from tests.scripted_model import ScriptedModel
from tests.work import begin
from tests.workshop import MARA, Workshop


@pytest.fixture(autouse=True)
def _claude(claude_home: ScriptedModel) -> None:
    pass


async def asked_before_the_end(workshop: Workshop, engine: Engine) -> tuple[TaskRow, PermissionRow]:
    """A question, and the server that asked it is stopped."""
    task = await asking_task(workshop)
    asked = await question(workshop, task)
    await engine.stop()
    return task, await get_permission(asked.id)


async def start(engine: Engine) -> None:
    assert await recover() == []
    engine._closed = False
    engine.start()


async def waits_again(workshop: Workshop, asked: PermissionRow) -> PermissionRow:
    async def waits() -> PermissionRow | None:
        now = await get_permission(asked.id)
        return now if now.waits_since else None

    return await workshop.once(waits, "the call is made again")


async def test_it_stays_open_without_a_process(workshop: Workshop, engine: Engine) -> None:
    task = await asking_task(workshop)
    before = await question(workshop, task)
    await engine.stop()
    asked = await get_permission(before.id)
    run = await get_run(asked.run_id)
    assert (run.rests, run.error_type) == (True, None)
    assert run.paused_at == before.waits_since, "what it waited is no work"
    assert trees.find_marked(run.id) == []
    assert (asked.status, asked.waits_since) == ("open", None)
    assert (await task_page(await get_task(task.id))).stage == "needs_you"
    (item,) = (await board_of(workshop.project)).attention
    assert (item.stage, item.href, item.code) == ("needs_you", f"/permissions/{asked.id}", "Bash echo one >> tags.txt")
    assert await scalar("SELECT status::text FROM audit_logs WHERE id = $1", asked.audit_id) == "error"


async def test_the_same_question_goes_on_and_then_the_call_runs(
    workshop: Workshop, engine: Engine, claude_home: ScriptedModel
) -> None:
    task, before = await asked_before_the_end(workshop, engine)
    await start(engine)
    asked = await waits_again(workshop, before)
    assert (asked.status, asked.asked_at) == ("open", before.asked_at)
    assert (asked.call_id != before.call_id, asked.audit_id != before.audit_id) == (True, True)
    assert await scalar("SELECT count(*) FROM permission_requests") == 1
    assert claude_home.asked[-1].heard == ASK_AGAIN.format(tool="Bash")
    assert tags_now(workshop) == ""
    await say(asked, "allowed")
    task = await workshop.until(task, "waiting_approval")
    assert tags(workshop, task) == "one"
    assert [run.id for run in await workshop.runs(task)] == [asked.run_id]
    assert await scalar("SELECT status::text FROM audit_logs WHERE id = $1", asked.audit_id) == "complete"


@pytest.mark.parametrize(("decision", "written"), [("allowed", "one\n"), ("denied", "")])
async def test_an_answer_given_meanwhile_counts_for_the_same_call(
    workshop: Workshop, engine: Engine, claude_home: ScriptedModel, decision: str, written: str
) -> None:
    task, asked = await asked_before_the_end(workshop, engine)
    await say(asked, decision, "As I said.")  # type: ignore[arg-type]
    assert (await task_page(await get_task(task.id))).stage == "paused"
    await start(engine)
    await workshop.until(task, "waiting_approval")
    assert (await get_permission(asked.id)).taken_at is not None
    assert await scalar("SELECT count(*) FROM permission_requests") == 1
    assert ("As I said." in claude_home.asked[-1].told) is (decision == "denied")
    assert await scalar("SELECT count(*) FROM audit_logs WHERE status = 'complete'") == (1 if written else 0)


async def test_an_answer_given_meanwhile_counts_once(workshop: Workshop, engine: Engine) -> None:
    task, asked = await asked_before_the_end(workshop, engine)
    await say(asked, "allowed")
    await execute("UPDATE permission_requests SET taken_at = now()")  # The call ran, and is made once more.
    await execute("UPDATE agents SET config = config || '{}' WHERE id = $1", asked.agent_id)
    await start(engine)
    again = await question(workshop, task, other_than=asked)
    assert again.input == asked.input
    await say(again, "allowed")
    await workshop.until(task, "waiting_approval")


async def test_an_agent_that_does_something_else_after_the_restart_lets_the_question_go(
    workshop: Workshop, engine: Engine
) -> None:
    task, asked = await asked_before_the_end(workshop, engine)
    await execute("UPDATE permission_requests SET digest = 'another call'")
    await start(engine)
    other = await question(workshop, task, other_than=asked)
    assert (await get_permission(asked.id)).status == "withdrawn"
    await say(other, "allowed")
    await workshop.until(task, "waiting_approval")


async def test_stopped_between_two_servers(workshop: Workshop, engine: Engine) -> None:
    task, asked = await asked_before_the_end(workshop, engine)
    stopping = asyncio.create_task(stop_run(await last_run(workshop, task), MARA))
    await asyncio.sleep(0.1)
    await start(engine)
    assert (await stopping).error_type == "stopped"
    assert (await settled(workshop, asked)).status == "withdrawn"


async def test_paused_between_two_servers(workshop: Workshop, engine: Engine) -> None:
    task, asked = await asked_before_the_end(workshop, engine)
    await request_pause(await last_run(workshop, task), MARA)
    assert (await get_permission(asked.id)).status == "withdrawn"
    await start(engine)
    assert (await task_page(await get_task(task.id))).stage == "paused"
    await resume(await last_run(workshop, task), MARA)
    await say(await question(workshop, task), "allowed")
    await workshop.until(task, "waiting_approval")


async def test_a_program_that_remembers_nothing_is_interrupted_as_ever(workshop: Workshop) -> None:
    from app.permissions.asking import Asker, Call, ask
    from app.runs.outlasting import outlast
    from tests.work import _recorder, launch

    claim = await begin(workshop.project.id)
    await launch(claim)
    asker = Asker(
        project_id=claim.project_id, task_id=claim.task_id, agent_id=claim.agent_id, run_id=claim.run_id,
        session_id=claim.session_id, agent_name="worker-1",
    )  # fmt: skip
    call = Call(call_id="1", audit_id=None, tool="Bash", input={}, digest="d", why="w", asking=("Bash",))
    asked = await ask(asker, call)
    assert not await outlast(claim, _recorder(claim), Rested())
    assert [run.id for run in await recover()] == [claim.run_id]
    assert (await get_permission(asked.id)).status == "withdrawn"
    assert (await get_run(claim.run_id)).error_type == "interrupted"
