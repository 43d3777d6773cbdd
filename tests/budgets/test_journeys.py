"""Real programs at their limits: a command and Claude Code are stopped while a tool runs, and asked about."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.board.queries import board_of
from app.budgets.forms import BudgetAnswer, TaskBudget
from app.budgets.rows import AlertRow, open_alert_of
from app.budgets.setting import set_limits
from app.budgets.spent import spent_by_run
from app.processes import trees
from app.runs.answering import answer
from app.runs.engine import Engine
from app.runs.recovering import recover
from app.runs.rows import RunRow, get_run
from app.tasks.rows import TaskRow, get_task
from tests.budgets.spending import alerts, limit, told
from tests.permissions.conftest import claude_home, scripted_model
from tests.scripted_model import ScriptedModel
from tests.workshop import MARA, PATIENCE_S, Workshop

__all__ = ["claude_home", "scripted_model"]

#: Says as Codex does what it uses, once it is let, while a tool of it runs with a child of its own.
SPENDS = """
echo '{"type":"thread.started","thread_id":"t1"}'
echo '{"type":"item.started","item":{"id":"i1","type":"command_execution","command":"tail -f /dev/null"}}'
echo work > work.txt
setsid tail -f /dev/null & echo $! > child.pid
echo $$ > tool.pid
while [ ! -e spend ]; do sleep 0.02; done
echo '{"type":"turn.completed","usage":{"input_tokens":900,"output_tokens":200}}'
exec tail -f /dev/null
"""
#: Counts until it is released, and uses something by the way.
COUNTS = """
echo '{"type":"thread.started","thread_id":"t1"}'
echo 0 > count
echo '{"type":"turn.completed","usage":{"input_tokens":900,"output_tokens":200}}'
while [ ! -e release ]; do echo 1 >> count; sleep 0.01; done; echo work > work.txt
"""
LEFT_S = 2.0


async def pids_of(workshop: Workshop) -> tuple[Path, list[int]]:
    """Where the tool runs, and the processes that it told of, which are alive."""
    files = [await workshop.file(f"*/{name}.pid") for name in ("tool", "child")]
    pids = [int(file.read_text()) for file in files]
    assert all(psutil.pid_exists(pid) for pid in pids), "the tool really runs"
    return files[0].parent, pids


async def soon(done: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.02)


async def stopped(workshop: Workshop, run: RunRow, pids: list[int]) -> None:
    """The limit is noticed, and what it ends is gone in time."""

    async def noticed() -> bool | None:
        return any(alert.status == "stopped" for alert in await alerts(workshop.project.id)) or None

    await workshop.once(noticed, "the limit ends the run")
    await soon(
        lambda: not trees.find_marked(run.id) and not any(psutil.pid_exists(pid) for pid in pids),
        LEFT_S,
        "processes of the run are left",
    )


async def asked(workshop: Workshop, task: TaskRow) -> AlertRow:
    """What a task's run asks at its limit, once it rests."""
    await workshop.until(task, "needs_you")

    async def rests() -> AlertRow | None:
        run = (await workshop.runs(task))[-1]
        return await open_alert_of(run.id) if run.status == "paused" else None

    return await workshop.once(rests, "the run rests and asks")


async def card(workshop: Workshop, task: TaskRow) -> tuple[str, str]:
    cards = [each for column in (await board_of(workshop.project)).columns for each in column.cards]
    return next((each.stage, each.error_type) for each in cards if each.id == task.id)


async def test_a_command_is_stopped_while_its_tool_runs(workshop: Workshop) -> None:
    await limit(workshop.project.id, run_tokens=1000)
    task = await workshop.task("Spend", agent=await workshop.agent("bob", SPENDS))
    folder, pids = await pids_of(workshop)
    (run,) = await workshop.runs(task)
    (folder / "spend").touch()
    await stopped(workshop, run, pids)
    task = await workshop.until(task, "waiting_approval")
    run = await get_run(run.id)
    assert (run.error_type, run.error) == ("budget", "This run has used 1,100 tokens; the limit is 1,000 tokens.")
    assert (task.metadata.ended_by, await card(workshop, task)) == ("budget", ("review", "budget"))


async def test_a_command_stands_still_while_a_person_is_asked(workshop: Workshop) -> None:
    await limit(workshop.project.id, run_tokens=1000, run_action="ask")
    task = await workshop.task("Count", agent=await workshop.agent("bob", COUNTS))
    alert = await asked(workshop, task)
    count = await workshop.file("*/count")
    before = count.read_text()
    await asyncio.sleep(0.2)
    assert count.read_text() == before, "its processes stand still"
    (item,) = (await board_of(workshop.project)).attention
    assert (item.lead, item.href) == ("bob has reached a limit", f"/budgets/{alert.id}")
    await answer(alert.id, BudgetAnswer(decision="once"), MARA)
    (count.parent / "release").touch()
    task = await workshop.until(task, "waiting_approval")
    assert (await get_run(alert.run_id)).status == "completed"
    assert told(await alerts(workshop.project.id)) == [("run", "tokens", "once")]


async def test_claude_is_stopped_while_its_tool_runs(workshop: Workshop, claude_home: ScriptedModel) -> None:
    agent = await create_agent(workshop.project.id, AgentForm(name="opus-1"), MARA)
    task = await workshop.task("Wait", agent=agent, description="SCENARIO:forever")
    _, pids = await pids_of(workshop)
    (run,) = await workshop.runs(task)

    # Tokens are known while the answer still goes on; nothing is told of them alone.
    async with asyncio.timeout(PATIENCE_S):
        while not (spent := await spent_by_run(run.id)).tokens:
            await asyncio.sleep(0.05)
    run = await get_run(run.id)
    assert spent.tokens == (run.token_input_count or 0) + (run.token_output_count or 0)
    budget = TaskBudget(run_tokens=spent.tokens, confirm=True)
    await set_limits(workshop.project.id, budget, MARA, task_id=task.id)
    await stopped(workshop, run, pids)
    task = await workshop.until(task, "waiting_approval")
    assert (await get_run(run.id)).error_type == "budget"
    assert await card(workshop, task) == ("review", "budget")


async def test_claude_rests_at_its_limit_through_a_restart_and_goes_on_with_a_higher_one(
    workshop: Workshop, claude_home: ScriptedModel, engine: Engine
) -> None:
    await limit(workshop.project.id, run_tokens=1, run_action="ask")
    agent = await create_agent(workshop.project.id, AgentForm(name="opus-1"), MARA)
    task = await workshop.task("Greet", agent=agent, description="SCENARIO:journey")
    alert = await asked(workshop, task)
    run = await get_run(alert.run_id)
    assert (run.rests, trees.find_marked(run.id)) == (True, [])
    await engine.stop()
    assert await recover() == []
    assert (await open_alert_of(run.id)) == alert
    await answer(alert.id, BudgetAnswer(decision="raised", most=1_000_000), MARA)
    engine._closed = False
    engine.start()
    task = await workshop.until(task, "waiting_approval")
    run = await get_run(run.id)
    spent = await spent_by_run(run.id)
    assert (run.status, run.error_type) == ("completed", None)
    assert spent.tokens == (run.token_input_count or 0) + (run.token_output_count or 0)
    assert spent.cost_usd is not None
    assert round(spent.cost_usd * 1_000_000) == run.cost_usd_micros
    assert (await get_task(task.id)).files_changed == 1
