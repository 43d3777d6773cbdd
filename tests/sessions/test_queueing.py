"""A message that waits can be changed, taken back, and told at once."""

import contextlib
from pathlib import Path

import pytest

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.errors import Conflict, NotFound
from app.processes import trees
from app.runs.pausing import request_pause
from app.sessions.messaging import send
from app.sessions.queueing import edit, send_now, withdraw
from app.sessions.rows import QueuedMessage, queued_messages
from app.tasks.rows import TaskRow, get_task
from tests.runners.running import until_exists
from tests.scripted_model import ScriptedModel
from tests.scripted_model.fixture import *  # noqa: F403
from tests.sessions.test_messaging import HOLDING, JO, held, said
from tests.workshop import MARA, Workshop


@pytest.fixture
async def talking(
    workshop: Workshop, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> tuple[TaskRow, Path]:
    """A task whose Claude is in the middle of a command that never ends, and its worktree."""
    (tmp_path / "home").mkdir()
    for name, value in {**scripted_model.env, "HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)
    bob = await create_agent(workshop.project.id, AgentForm(name="bob"), MARA)
    task = await workshop.task("Wait", agent=bob, description="SCENARIO:forever")
    worktree = (await workshop.file("*/tool.pid")).parent
    return await get_task(task.id), worktree


async def queue(task: TaskRow) -> list[QueuedMessage]:
    return await queued_messages(task.session_id)


async def texts(task: TaskRow) -> list[str]:
    return [message.text for message in await queue(task)]


async def test_what_waits_is_changed_and_told_as_it_is_then(workshop: Workshop) -> None:
    task, worktree = await held(workshop)
    await send(task.session_id, "Count the hub.", JO)
    (message,) = await queue(task)
    await edit(task.session_id, message.id, "Count the rim.", JO)
    assert await texts(task) == ["Count the rim."]
    (worktree / "release").touch()
    await workshop.until(task, "waiting_approval")
    assert "Count the rim." in (worktree / "asked-1.txt").read_text()
    assert "hub" not in str(await said(task))
    for change in (edit(task.session_id, message.id, "Too late.", JO), send_now(task.session_id, message.id, JO)):
        with pytest.raises(NotFound) as refused:
            await change
        assert refused.value.code == "MESSAGE_NOT_FOUND"


async def test_told_at_once_it_cuts_off_a_command_that_never_ends(
    workshop: Workshop, talking: tuple[TaskRow, Path]
) -> None:
    task, worktree = talking
    tool, child = [int((await until_exists(worktree / name)).read_text()) for name in ("tool.pid", "child.pid")]
    assert trees.is_alive(tool, None)
    await send(task.session_id, "And the hub?", MARA)
    await send(task.session_id, "Stop waiting.", JO)
    urgent = (await queue(task))[1]
    await send_now(task.session_id, urgent.id, JO)
    task = await workshop.until(task, "waiting_approval")
    # One run in one conversation; the urgent message went first, the other one after its answer.
    (run,) = await workshop.runs(task)
    assert (run.error_type, run.status) == (None, "completed")
    people = [(who, text) for who, text in await said(task) if who in ("Jo", MARA.name)]
    assert people == [("Jo", "Stop waiting."), (MARA.name, "And the hub?")]
    assert "I was asked: And the hub?" in (worktree / "second.txt").read_text()
    assert await texts(task) == []
    assert not trees.is_alive(tool, None)
    assert not trees.is_alive(child, None)


async def test_one_that_is_taken_back_meanwhile_leaves_the_agent_to_go_on(
    workshop: Workshop, talking: tuple[TaskRow, Path]
) -> None:
    task, worktree = talking
    tool = int((await until_exists(worktree / "tool.pid")).read_text())
    assert trees.is_alive(tool, None)
    await send(task.session_id, "Stop waiting.", JO)
    (message,) = await queue(task)
    await send_now(task.session_id, message.id, JO)
    assert await trees.wait_gone(tool, None, 30), "its command is cut off"
    with contextlib.suppress(NotFound):  # It was told before it could be taken back.
        await withdraw(task.session_id, message.id, JO)
    task = await workshop.until(task, "waiting_approval")
    (run,) = await workshop.runs(task)
    assert run.status == "completed"
    assert await texts(task) == []


async def test_a_command_takes_none_while_it_works_and_says_so(workshop: Workshop) -> None:
    task, worktree = await held(workshop)
    await send(task.session_id, "Hurry.", JO)
    (message,) = await queue(task)
    with pytest.raises(Conflict) as refused:
        await send_now(task.session_id, message.id, JO)
    assert refused.value.code == "AGENT_NOT_RUNNING"
    assert [each.is_urgent for each in await queue(task)] == [False]
    await request_pause((await workshop.runs(task))[0], MARA)
    with pytest.raises(Conflict, match="rests"):
        await send_now(task.session_id, message.id, JO)
    assert await texts(task) == ["Hurry."]
    assert worktree.exists()


async def test_where_the_run_failed_it_begins_the_next(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", HOLDING.replace("do sleep", "do [ -e fail ] && exit 1; sleep"))
    task = await workshop.task("Count", agent=bob)
    worktree = (await workshop.file("*/asked-0.txt")).parent
    task = await get_task(task.id)
    await send(task.session_id, "First.", MARA)
    (worktree / "fail").touch()
    await workshop.until(task, "error")
    (message,) = await queue(task)
    await send_now(task.session_id, message.id, MARA)
    task = await workshop.until(task, "waiting_approval")
    assert [run.cause for run in await workshop.runs(task)] == ["task", "message"]
    assert "First." in (worktree / "asked-1.txt").read_text()
