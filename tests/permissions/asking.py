"""A Claude agent that must ask, the question it asks, and what people answer."""

from pathlib import Path

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.events.recording import Actor
from app.permissions.answering import answer
from app.permissions.forms import PermissionAnswer
from app.permissions.rows import PermissionRow, get_permission, open_of_run
from app.permissions.states import Decision
from app.runs.rows import RunRow
from app.tasks.rows import TaskRow
from tests.workshop import MARA, Workshop


async def asking_task(workshop: Workshop, rules: str = "Bash(echo*)", scenario: str = "tags", **fields: str) -> TaskRow:
    """A task whose agent may not run a command without asking, at work."""
    form = AgentForm(name="opus-1", permissions_ask=rules, **fields)  # type: ignore[arg-type]
    agent = await create_agent(workshop.project.id, form, MARA)
    return await workshop.task("Tag the release", agent=agent, description=f"SCENARIO:{scenario}")


async def question(workshop: Workshop, task: TaskRow, other_than: PermissionRow | None = None) -> PermissionRow:
    """The question that a task's run asks now."""

    async def asked() -> PermissionRow | None:
        runs = await workshop.runs(task)
        found = await open_of_run(runs[-1].id) if runs else []
        return next((each for each in found if each.id != (other_than and other_than.id)), None)

    return await workshop.once(asked, "the agent asks")


async def say(request: PermissionRow, decision: Decision, note: str = "", actor: Actor = MARA) -> PermissionRow:
    """Somebody answers."""
    return await answer(request.id, PermissionAnswer(decision=decision, note=note), actor)


async def settled(workshop: Workshop, request: PermissionRow) -> PermissionRow:
    """The question once it is open no more."""

    async def closed() -> PermissionRow | None:
        now = await get_permission(request.id)
        return now if now.status != "open" else None

    return await workshop.once(closed, "the question is settled")


async def last_run(workshop: Workshop, task: TaskRow) -> RunRow:
    return (await workshop.runs(task))[-1]


def tags(workshop: Workshop, task: TaskRow) -> str:
    """What the agent's commands wrote, as it is on the task's branch."""
    from tests.git.repositories import user

    return user(workshop.root, "show", f"{task.branch}:tags.txt")


def tags_now(workshop: Workshop) -> str:
    """The same while the agent is at work."""
    found = list(Path(workshop.root / ".worktrees").glob("*/tags.txt"))
    return found[0].read_text() if found else ""
