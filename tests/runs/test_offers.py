"""For each state of a task: what its pages offer, and that everything else is refused and changes nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.agents.rows import get_agent
from app.tasks.queries import task_page
from app.tasks.rows import TaskRow, get_task
from tests.runs.at_once import COMMANDS, OFFERED, STATES, Stage
from tests.visitor import Visitor, forms_of
from tests.workshop import Workshop

#: What the pages offer besides `edit`, by state. Cancelling offers discarding too.
BOARD = {
    "backlog": {"start"}, "queued": {"cancel"}, "starting": {"stop", "pause", "cancel"},
    "running": {"stop", "pause", "cancel"}, "paused": {"stop", "resume", "cancel"},
    "error": {"retry", "submit", "cancel"}, "review": {"cancel"}, "done": set(),
}  # fmt: skip
TASK = {**BOARD, "backlog": {"start", "delete"}, "done": {"undo", "delete"}}
REVIEW = {"review": {"approve", "reject"}}
SESSION = {
    "starting": {"stop", "pause", "message"}, "running": {"stop", "pause", "message"},
    "paused": {"stop", "resume", "message"}, "error": {"retry", "submit", "message"},
}  # fmt: skip
AGENT = {
    "starting": {"stop", "pause"}, "running": {"stop", "pause"}, "paused": {"stop", "resume"},
    "error": {"retry", "give_up"},
}  # fmt: skip
#: What is taken although no button says so: a card that is moved to where it is, an agent that is free already.
NO_OPS = {
    **{state: {"start"} for state in ("queued", "starting", "running", "error")}, "paused": {"start", "pause"},
    "backlog": {"give_up"}, "review": {"submit", "give_up"}, "done": {"give_up"},
}  # fmt: skip


@pytest.fixture
async def stage(workshop: Workshop, visitor: Visitor, tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(workshop, visitor, tmp_path)
    gate = ("sh", "-c", f"while [ ! -e '{stage.gate}' ]; do sleep 0.02; done")
    await workshop.configure(install_command=gate)
    yield stage
    await stage.clear()


@pytest.mark.parametrize("state", STATES)
async def test_every_page_offers_what_can_be_done_and_nothing_else(stage: Stage, visitor: Visitor, state: str) -> None:
    task = await stage.task(state)
    agent = task.metadata.wanted_agent_id or task.agent_id
    pages = {f"/projects/{task.project_id}": BOARD, f"/tasks/{task.id}": TASK, f"/agents/{agent}": AGENT}
    if state in REVIEW:
        pages[f"/tasks/{task.id}/review"] = REVIEW
    if task.session_id:
        pages[f"/sessions/{task.session_id}"] = SESSION
    for page, expected in pages.items():
        assert await offers(visitor, page, task, state) == expected.get(state, set()), page
    seen = {command for expected in pages.values() for command in expected.get(state, set())}
    assert seen | {"edit"} == set(OFFERED[state])


@pytest.mark.parametrize("state", STATES)
async def test_everything_else_is_refused_and_changes_nothing(stage: Stage, state: str) -> None:
    task = await stage.task(state)
    of_another_task = {"stop", "pause"} if state == "queued" else set()  # Its agent is at work elsewhere.
    taken = {*OFFERED[state], *NO_OPS.get(state, ()), *of_another_task}
    taken |= {"discard"} if "cancel" in taken else set()
    for command in COMMANDS:
        if command not in taken:
            before = await facts(task)
            (answer,) = await stage.press(task, state, (command,))
            assert answer.status_code in (404, 409), f"{command}: {answer.status_code}"
            assert "data-error-code" in answer.text
            assert await facts(task) == before, command
    for command in NO_OPS.get(state, ()):
        before = await facts(task)
        (answer,) = await stage.press(task, state, (command,))
        assert (answer.status_code, await facts(task)) == (303, before), command


async def offers(visitor: Visitor, page: str, task: TaskRow, state: str) -> set[str]:
    """The commands for which a page has forms about this task, its agent or its session."""
    html = await visitor.page(page)
    found = set()
    for form in forms_of(html):
        place, _, verb = form.action.rpartition("/")
        if place == f"/tasks/{task.id}" and verb == "move":
            # The form that moves a card anywhere stands with what is possible chosen from a list.
            found |= set() if "position" in form.fields else {_MOVES[form.fields["column"]]}
        elif place == f"/tasks/{task.id}":
            found.add(verb)
        elif state != "queued" and place == f"/agents/{task.metadata.wanted_agent_id or task.agent_id}":
            found.add({"start": "give_up"}.get(verb, verb))
        elif place == f"/sessions/{task.session_id}" and verb == "messages":
            found.add("message")
    if f'formaction="/sessions/{task.session_id}/messages"' in html:
        found.add("message")
    return found - ({"delete", "try"} if page.startswith("/agents") else set())


_MOVES = {"in_progress": "start", "waiting_approval": "submit"}


async def facts(task: TaskRow) -> tuple[object, ...]:
    """What must not change by a refusal."""
    now = await get_task(task.id)
    agent = await get_agent(task.metadata.wanted_agent_id or task.agent_id or "")
    stage = (await task_page(now)).stage
    return now.column, now.position, stage, now.agent_id, now.branch, agent.status, agent.current_task_id
