"""The state machine of an agent, pair by pair: what is not in this table is refused, and nothing is written."""

from typing import get_args

import pytest

from app.agents import states
from app.agents.rows import AgentStatus, get_agent
from app.agents.states import AgentEvent
from app.agents.tables import Agent
from app.errors import Conflict
from app.events import reading
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from tests.work import MARA, add_agent

STATES: tuple[AgentStatus, ...] = get_args(AgentStatus)
EVENTS: tuple[AgentEvent, ...] = get_args(AgentEvent)
ALLOWED: dict[tuple[AgentStatus, AgentEvent], AgentStatus] = {
    ("idle", "start"): "starting",
    ("completed", "start"): "starting",
    ("completed", "clear"): "idle",
    ("starting", "begin"): "running",
    ("starting", "complete"): "completed",
    ("starting", "fail"): "error",
    ("running", "pause"): "paused",
    ("running", "complete"): "completed",
    ("running", "fail"): "error",
    ("paused", "resume"): "running",
    ("paused", "complete"): "completed",
    ("paused", "fail"): "error",
    ("error", "clear"): "idle",
}


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("event", EVENTS)
async def test_every_pair_is_allowed_or_refused(project: ProjectRow, before: AgentStatus, event: AgentEvent) -> None:
    agent = await add_agent(project.id)
    await Agent.update({Agent.status: before}).where(Agent.id == agent.id)
    number = await reading.last_number(project.id)
    target = ALLOWED.get((before, event))
    if target is None:
        with pytest.raises(Conflict) as refusal:
            async with locked(project.id):
                await states.change(project.id, agent.id, event, actor=MARA, total_tasks=9)
        assert refusal.value.code == "AGENT_NOT_RUNNING"
        assert await reading.last_number(project.id) == number
    else:
        async with locked(project.id):
            await states.change(project.id, agent.id, event, actor=MARA, total_tasks=9)
        told = (await reading.of_subject(project.id, agent.id))[-1]
        assert (told.kind, told.actor) == (f"agent.{target}", "Mara Lindqvist")
        assert told.payload == {"status": target, "name": "worker-1"}
    after = await get_agent(agent.id)
    assert (after.status, after.total_tasks) == ((target, 9) if target else (before, 0))
