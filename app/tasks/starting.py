"""Put a task into the queue; the engine takes it from there as soon as a slot and an agent are free."""

import msgspec

from app.clock import now
from app.errors import Conflict
from app.events.recording import Actor
from app.git.repository import GitRefused, inspect
from app.projects.locking import locked
from app.projects.rows import get_project
from app.tasks.moving import transition
from app.tasks.rows import Pending, TaskRow, get_task


async def start(task_id: str, *, actor: Actor, position: int | None = None) -> TaskRow:
    """Backlog to the queue, at the end of In progress unless `position` says where."""
    task = await get_task(task_id)
    await require_usable_repository(task.project_id)
    async with locked(task.project_id):
        return await start_in_lock(task, actor=actor, position=position)


async def require_usable_repository(project_id: str) -> None:
    """409 when the project's folder is no repository that an agent could work on."""
    project = await get_project(project_id)
    try:
        await inspect(project.root)
    except GitRefused as refusal:
        raise Conflict(f"Work cannot start in {project.name}: {refusal}", "TASK_INVALID_TRANSITION") from refusal


async def start_in_lock(task: TaskRow, *, actor: Actor, position: int | None = None) -> TaskRow:
    """As `start`, for a caller that holds the project's lock."""
    pending = task.metadata.pending or Pending("task", prompt_of(task))
    metadata = msgspec.structs.replace(task.metadata, pending=pending, ended_by=None)
    return await transition(
        task,
        "start",
        actor=actor,
        position=position,
        agent_id=None,
        started_at=now(),
        completed_at=None,
        metadata=msgspec.json.encode(metadata).decode(),
    )


def prompt_of(task: TaskRow) -> str:
    """What an agent is asked first: the title, then the description."""
    return f"{task.title}\n\n{task.description}".strip() if task.description else task.title
