"""A project with agents at work: small programs as agents, tasks for them, and waiting for what becomes of these."""

import asyncio
import shlex
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from litestar import Litestar

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.agents.rows import AgentRow
from app.events.fanout import Fanout
from app.events.recording import Actor, Notification
from app.projects.rows import ProjectRow, get_project
from app.reviews.comparing import compare
from app.reviews.forms import Approval
from app.runs.rows import RunRow, runs_of_task
from app.tasks.creating import create_task
from app.tasks.forms import NewTask
from app.tasks.queries import task_page
from app.tasks.rows import Column, TaskRow, get_task
from app.tasks.stages import Stage

MARA = Actor("person", "Mara Lindqvist")
#: Seconds that no test waits longer for anything.
PATIENCE_S = 30.0
T = TypeVar("T")


class Workshop:
    """One project, and what people do in it."""

    def __init__(self, app: Litestar, project: ProjectRow, folder: Path) -> None:
        self.app = app
        self.project = project
        self.folder = folder

    @property
    def root(self) -> Path:
        """The person's own copy of the repository."""
        return self.project.root

    async def agent(self, name: str, script: str = "", *, command: str = "") -> AgentRow:
        """An agent that runs `script` with sh in its worktree; the prompt comes on standard input."""
        if script:
            file = self.folder / f"{name}.sh"
            file.write_text(script)
            command = f"sh {shlex.quote(str(file))}"
        form = AgentForm(name=name, runner="command", command=command)
        return await create_agent(self.project.id, form, MARA)

    async def python_agent(self, name: str, program: str) -> AgentRow:
        """The same for a Python program."""
        file = self.folder / f"{name}.py"
        file.write_text(program)
        return await self.agent(name, command=shlex.join([sys.executable, str(file)]))

    async def task(self, title: str, *, agent: AgentRow | None = None, start: bool = True, **fields: object) -> TaskRow:
        """A new card, at work at once unless told otherwise."""
        form = NewTask(title=title, agent_id=agent.id if agent else None, start=start, **fields)
        return await create_task(self.project.id, form, MARA)

    async def done(self, title: str, script: str, **fields: object) -> TaskRow:
        """A task whose agent did `script` and that waits for approval."""
        agent = await self.agent(f"agent for {title}"[:40].replace("/", "-"), script)
        task = await self.task(title, agent=agent, **fields)
        return await self.until(task, "waiting_approval")

    async def until(self, task: TaskRow, wanted: Column | Stage) -> TaskRow:
        """The task, once it is in that column or stage."""

        async def reached() -> TaskRow | None:
            now = await get_task(task.id)
            return now if wanted in (now.column, (await task_page(now)).stage) else None

        return await self.once(reached, f"{task.title} is {wanted}")

    async def once(self, look: Callable[[], Awaitable[T | None]], what: str) -> T:
        """What `look` finds, asked anew after each event of the log."""
        happened = asyncio.Event()
        unlisten = self.fanout.listen(lambda _: happened.set())
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not (found := await look()):
                    await happened.wait()
                    happened.clear()
                return found
        except TimeoutError:
            raise AssertionError(f"never: {what}") from None
        finally:
            unlisten()

    async def file(self, pattern: str, inside: Path | None = None) -> Path:
        """A file that an agent writes, once it is there and not empty."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for path in (inside or self.root / ".worktrees").glob(pattern):
                if path.stat().st_size:
                    return path
            await asyncio.sleep(0.02)
        raise AssertionError(f"no {pattern} was ever written")

    async def runs(self, task: TaskRow) -> list[RunRow]:
        """The runs of a task, oldest first."""
        return (await runs_of_task(task.id))[::-1]

    async def approval(self, task: TaskRow, **fields: object) -> Approval:
        """The form as the review page of this moment has it."""
        return Approval(digest=(await compare(await get_task(task.id))).digest, **fields)

    async def configure(self, **config: object) -> ProjectRow:
        """Change the project's configuration document."""
        import msgspec

        from app.projects.tables import Project

        changed = msgspec.structs.replace(self.project.config, **config)
        await Project.update({Project.config: changed.to_json()}).where(Project.id == self.project.id)
        self.project = await get_project(self.project.id)
        return self.project

    @property
    def fanout(self) -> Fanout:
        """What wakes the engine, and this."""
        return self.app.state.fanout


def heard(fanout: Fanout) -> list[Notification]:
    """Everything that is committed from now on, as it is told."""
    notes: list[Notification] = []
    fanout.listen(notes.append)
    return notes
