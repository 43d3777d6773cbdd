"""Background agents: at work until they are stopped, and again after a start of the server."""

import pytest

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.agents.rows import AgentRow, get_agent
from app.errors import Conflict, Invalid
from app.events.recording import Actor
from app.postgres.reading import execute
from app.processes import trees
from app.runners.registry import RUNNERS
from app.runs import chatting
from app.runs.background import give_up_waiting, restart_background, start_background
from app.runs.engine import Engine
from app.runs.recovering import recover
from app.runs.rows import live_run_of_agent, runs_of_session
from app.runs.stopping import stop_run
from app.sessions.standalone import standalone
from app.worktrees.rows import WorktreeRow, get_worktree
from tests.workshop import MARA, Workshop

WATCH = "cat > told.txt; echo $$ > pid.$(ls | wc -l); echo watching; exec tail -f /dev/null"


async def watcher(workshop: Workshop, script: str = WATCH) -> AgentRow:
    file = workshop.folder / "watch.sh"
    file.write_text(script)
    form = AgentForm(
        name="watcher", type="background", runner="command", command=f"sh {file}", prompt="Watch the spokes"
    )
    return await create_agent(workshop.project.id, form, MARA)


async def at_work(workshop: Workshop, agent: AgentRow) -> None:
    async def runs() -> bool:
        return (await get_agent(agent.id)).status == "running"

    await workshop.once(runs, "the agent at work")


async def test_it_runs_until_it_is_stopped_and_keeps_its_worktree(workshop: Workshop) -> None:
    agent = await watcher(workshop)
    first = await start_background(agent.id, MARA)
    told = await workshop.file("*/told.txt")
    assert told.read_text() == "Watch the spokes"
    pid = int((await workshop.file("*/pid.*")).read_text())
    await at_work(workshop, agent)
    with pytest.raises(Conflict, match="started already"):
        await start_background(agent.id, MARA)
    await stop_run(await live_run_of_agent(agent.id), MARA)
    assert not trees.is_alive(pid, None)
    assert (await get_agent(agent.id)).status == "completed"
    assert not (await standalone(first.id)).keeps_running
    second = await start_background(agent.id, MARA)
    await at_work(workshop, agent)
    assert second.id != first.id
    assert (await standalone(second.id)).worktree_id == (await standalone(first.id)).worktree_id
    assert not (await standalone(first.id)).is_active


async def test_it_goes_on_after_a_restart_of_the_server(workshop: Workshop, engine: Engine) -> None:
    agent = await watcher(workshop)
    session = await start_background(agent.id, MARA)
    await workshop.file("*/pid.*")
    await at_work(workshop, agent)
    await engine.stop()
    assert (await get_agent(agent.id)).status == "error"
    # As a start does it.
    await recover()
    await restart_background()
    again = Engine(workshop.app.state.settings, RUNNERS, workshop.fanout)
    again.start()
    await at_work(workshop, agent)
    assert [run.error_type for run in await runs_of_session(session.id)] == [None, "interrupted"]
    await again.stop()


async def test_one_that_was_stopped_is_not_started_again(workshop: Workshop) -> None:
    agent = await watcher(workshop)
    session = await start_background(agent.id, MARA)
    await at_work(workshop, agent)
    await stop_run(await live_run_of_agent(agent.id), MARA)
    await restart_background()
    assert (await standalone(session.id)).pending is None


async def test_one_that_ends_by_itself_is_done(workshop: Workshop) -> None:
    agent = await watcher(workshop, "echo done > done.txt")
    session = await start_background(agent.id, MARA)

    async def done() -> bool:
        return (await get_agent(agent.id)).status == "completed"

    await workshop.once(done, "the agent completed")
    left = await standalone(session.id)
    assert (left.keeps_running, left.files_changed) == (False, 1)


async def test_started_while_its_session_is_closed_it_works_in_a_folder_that_stays(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await watcher(workshop)
    session = await start_background(agent.id, MARA)
    await at_work(workshop, agent)
    await stop_run(await live_run_of_agent(agent.id), MARA)
    tidy = chatting._tidy

    async def late(worktree: WorktreeRow, actor: Actor) -> None:
        await start_background(agent.id, MARA)
        await tidy(worktree, actor)

    monkeypatch.setattr(chatting, "_tidy", late)
    await chatting.close_chat(session.id, MARA)
    await at_work(workshop, agent)
    run = await live_run_of_agent(agent.id)
    assert (await get_worktree((await standalone(run.session_id)).worktree_id)).status == "active"


async def test_one_that_waits_for_a_slot_can_be_stopped(workshop: Workshop) -> None:
    await execute("UPDATE projects SET max_concurrent_agents = 1 WHERE id = $1", workshop.project.id)
    bob = await workshop.agent("bob", "echo x > held; exec tail -f /dev/null")
    await workshop.task("Busy", agent=bob)
    await workshop.file("*/held")
    agent = await watcher(workshop)
    session = await start_background(agent.id, MARA)
    assert (await standalone(session.id)).pending is not None
    assert await give_up_waiting(agent, MARA)
    assert (await standalone(session.id)).pending is None
    assert not await give_up_waiting(agent, MARA)


def test_a_claude_agent_needs_to_be_told_what_to_do() -> None:
    with pytest.raises(Invalid) as wrong:
        AgentForm(name="watcher", type="background").config()
    assert "prompt" in wrong.value.fields
