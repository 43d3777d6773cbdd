"""The legal states of an agent: what may follow what, and that nothing else is written."""

from typing import get_args

import pytest

from app.agents import states
from app.agents.rows import AgentStatus, get_agent
from app.agents.tables import Agent
from app.errors import Conflict
from app.events import reading
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from tests.work import MARA, add_agent

STATES: tuple[AgentStatus, ...] = get_args(AgentStatus)
LEGAL = {
    ("idle", "starting"),
    ("completed", "starting"), ("completed", "idle"),
    ("starting", "running"), ("starting", "completed"), ("starting", "error"), ("starting", "idle"),
    ("running", "paused"), ("running", "completed"), ("running", "error"), ("running", "idle"),
    ("paused", "running"), ("paused", "completed"), ("paused", "error"), ("paused", "idle"),
    ("error", "starting"), ("error", "idle"),
}  # fmt: skip


async def test_exactly_the_legal_changes_are_written(project: ProjectRow) -> None:
    agent = await add_agent(project.id)
    written = set()
    for before in STATES:
        for after in STATES:
            await Agent.update({Agent.status: before}).where(Agent.id == agent.id)
            try:
                async with locked(project.id):
                    await states.change(project.id, agent.id, after, actor=MARA)
            except Conflict:
                assert (await get_agent(agent.id)).status == before
            else:
                assert (await get_agent(agent.id)).status == after
                written.add((before, after))
    assert written == LEGAL


async def test_a_change_is_recorded_with_its_columns(project: ProjectRow) -> None:
    agent = await add_agent(project.id)
    async with locked(project.id):
        await states.change(project.id, agent.id, "starting", actor=MARA, total_tasks=1)
    assert (await get_agent(agent.id)).total_tasks == 1
    event = (await reading.of_subject(project.id, agent.id))[-1]
    assert (event.kind, event.actor, event.payload) == (
        "agent.starting",
        "Mara Lindqvist",
        {"status": "starting", "name": "worker-1"},
    )


async def test_a_refused_change_records_nothing(project: ProjectRow) -> None:
    agent = await add_agent(project.id)
    before = await reading.last_number(project.id)
    with pytest.raises(Conflict) as refusal:
        async with locked(project.id):
            await states.change(project.id, agent.id, "running", actor=MARA, total_tasks=9)
    assert refusal.value.code == "AGENT_NOT_RUNNING"
    assert await reading.last_number(project.id) == before
    assert (await get_agent(agent.id)).total_tasks == 0
