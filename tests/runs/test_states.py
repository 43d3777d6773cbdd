"""The state machine of a run, pair by pair: what is not in this table is refused, and nothing is written."""

from typing import get_args

import pytest

from app.agents.rows import AgentStatus
from app.errors import Conflict
from app.events import reading
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from app.runs import states
from app.runs.rows import get_run
from app.runs.states import RunEvent
from app.runs.tables import AgentRun
from tests.work import MARA, begin

STATES: tuple[AgentStatus, ...] = ("starting", "running", "paused", "completed", "error")
EVENTS: tuple[RunEvent, ...] = get_args(RunEvent)
ALLOWED: dict[tuple[AgentStatus, RunEvent], AgentStatus] = {
    ("starting", "begin"): "running",
    ("starting", "complete"): "completed",
    ("starting", "fail"): "error",
    ("running", "pause"): "paused",
    ("running", "complete"): "completed",
    ("running", "fail"): "error",
    ("paused", "resume"): "running",
    ("paused", "complete"): "completed",
    ("paused", "fail"): "error",
}


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("event", EVENTS)
async def test_every_pair_is_allowed_or_refused(project: ProjectRow, before: AgentStatus, event: RunEvent) -> None:
    run = await get_run((await begin(project.id)).run_id)
    await AgentRun.update({AgentRun.status: before}).where(AgentRun.id == run.id)
    number = await reading.last_number(project.id)
    target = ALLOWED.get((before, event))
    if target is None:
        with pytest.raises(Conflict) as refusal:
            async with locked(project.id):
                await states.change(run, event, actor=MARA, result="written")
        assert refusal.value.code == "AGENT_NOT_RUNNING"
        assert await reading.last_number(project.id) == number
    else:
        async with locked(project.id):
            await states.change(run, event, actor=MARA, result="written")
        told = (await reading.of_subject(project.id, run.id))[-1]
        assert (told.kind, told.actor) == (f"run.{target}", "Mara Lindqvist")
    after = await get_run(run.id)
    assert (after.status, after.result) == ((target, "written") if target else (before, None))
