"""Add a card to the top of Backlog, or straight to the queue."""

from typing import Any

import msgspec

from app.agents.rows import worker_of
from app.clock import now
from app.events.recording import Actor, record
from app.ids import create_id
from app.projects.locking import locked
from app.tasks.forms import NewTask
from app.tasks.positions import make_room
from app.tasks.rows import Column, TaskMetadata, TaskRow, get_task
from app.tasks.starting import start_in_lock
from app.tasks.tables import Task


async def create_task(project_id: str, form: NewTask, actor: Actor) -> TaskRow:
    """The new task; with `form.start` it is queued in the same transaction. `PROJECT_NOT_FOUND`, `VALIDATION_ERROR`."""
    wanted = await worker_of(project_id, form.agent_id)
    async with locked(project_id):
        position = await make_room(project_id, "backlog", 0)
        metadata = TaskMetadata(wanted_agent_id=wanted)
        task = await _insert(project_id, form, actor, column="backlog", position=position, metadata=metadata)
        return await start_in_lock(task, actor=actor) if form.start else task


async def create_from_work(project_id: str, form: NewTask, actor: Actor, **columns: Any) -> TaskRow:
    """A card for work that is there already: it waits for approval at once. The caller holds the project's lock."""
    position, moment = await make_room(project_id, "waiting_approval", None), now()
    known = {"started_at": moment, "completed_at": moment, "metadata": TaskMetadata(), **columns}
    return await _insert(project_id, form, actor, column="waiting_approval", position=position, **known)


async def _insert(
    project_id: str, form: NewTask, actor: Actor, *, column: Column, metadata: TaskMetadata, **columns: Any
) -> TaskRow:
    task_id = create_id()
    await Task.insert(
        Task(
            id=task_id,
            project_id=project_id,
            title=form.title,
            description=form.description,
            labels=msgspec.json.encode(unique(form.labels)).decode(),
            column=column,
            metadata=msgspec.json.encode(metadata).decode(),
            **columns,
        )
    )
    payload = {"title": form.title, "to": column}
    await record(project_id, "task.created", actor=actor, subject=task_id, payload=payload)
    return await get_task(task_id)


def unique(labels: list[str]) -> list[str]:
    """Labels without repeats, in the order they were typed."""
    return list(dict.fromkeys(labels))
