"""Work on a project, brought about by the verbs themselves: a task is begun, its agent says things, its run ends."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from litestar import Litestar

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.agents.rows import AgentRow, get_agent
from app.events.recording import Actor
from app.processes.redacting import Redactor
from app.projects.rows import get_project
from app.runners.base import AgentEvent, Finished, ToolFinished, ToolStarted
from app.runs import launching
from app.runs.claiming import Claim, claim_next
from app.runs.configured import configured
from app.runs.finishing import finish
from app.runs.recording import Recorder
from app.settings import Settings
from app.tasks.creating import create_task
from app.tasks.forms import NewTask
from app.tasks.rows import TaskRow, get_task
from app.worktrees.creating import prepare
from app.worktrees.rows import get_worktree

Found = TypeVar("Found")
MARA = Actor("person", "Mara Lindqvist")
#: No test waits longer for anything.
PATIENCE_S = 60


async def add_agent(project_id: str, name: str = "worker-1", command: str = "cat", **fields: object) -> AgentRow:
    """An agent that runs `command`."""
    known = {"name": name, "runner": "command", "command": command}
    return await create_agent(project_id, AgentForm(**{**known, **fields}), MARA)  # type: ignore[arg-type]


async def queue(project_id: str, title: str = "Normalise extras", **fields: object) -> TaskRow:
    """A task in the queue."""
    return await create_task(project_id, NewTask(title=title, start=True, **fields), MARA)  # type: ignore[arg-type]


async def begin(project_id: str, title: str = "Normalise extras") -> Claim:
    """A task with its agent, session, run and finished worktree, as the engine leaves it before the program starts."""
    await queue(project_id, title)
    claim = await claim_next(project_id)
    assert claim is not None
    await prepare(claim.worktree_id, {"PATH": "/usr/bin:/bin"})
    return claim


async def launch(claim: Claim) -> str | None:
    """The words with which the program of a run is about to start; None where it rests or ends instead."""
    task = await get_task(claim.task_id) if claim.task_id else None
    project, agent = await get_project(claim.project_id), await get_agent(claim.agent_id)
    worktree = await get_worktree(claim.worktree_id)
    holding = await configured(Settings(data_dir=Path("data")), project, agent, task, worktree)
    return await launching.launch(claim, holding, unconfined="")


async def say(claim: Claim, *events: AgentEvent) -> None:
    """What the program of a run says and does."""
    await _recorder(claim).write(events)


async def call(claim: Claim, tool: str, argument: dict[str, object], id: str = "1", **ending: object) -> None:
    """A tool call from its start to its end; `status` is `complete`, `error` or `denied`."""
    known = {"call_id": id, "status": "complete", **ending}
    await say(claim, ToolStarted(call_id=id, tool=tool, input=argument, turn=1), ToolFinished(**known))  # type: ignore[arg-type]


async def end(claim: Claim, error_type: str | None = None, error: str | None = None) -> None:
    """The end of a run: success, or for one reason."""
    await finish(claim, _recorder(claim), Finished(error_type=error_type, error=error, turn_count=3))  # type: ignore[arg-type]


async def until(app: Litestar, condition: Callable[[], Awaitable[Found | None]]) -> Found:
    """What `condition` finds, asked again whenever something happened. Needs the fixture `engine`."""
    happened = asyncio.Event()
    unlisten = app.state.fanout.listen(lambda note: happened.set())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (found := await condition()):
                await happened.wait()
                happened.clear()
            return found
    finally:
        unlisten()


def _recorder(claim: Claim) -> Recorder:
    return Recorder(claim, "worker-1", Redactor({}))
