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
from app.tasks.rows import TaskMetadata, TaskRow, get_task
from app.tasks.starting import start_in_lock
from app.tasks.tables import Task


async def create_task(project_id: str, form: NewTask, actor: Actor) -> TaskRow:
    """The new task; with `form.start` it is queued in the same transaction. `PROJECT_NOT_FOUND`, `VALIDATION_ERROR`."""
    wanted = await worker_of(project_id, form.agent_id)
    task_id = create_id()
    async with locked(project_id):
        position = await make_room(project_id, "backlog", 0)
        await Task.insert(
            Task(
                id=task_id,
                project_id=project_id,
                title=form.title,
                description=form.description,
                labels=msgspec.json.encode(unique(form.labels)).decode(),
                position=position,
                metadata=msgspec.json.encode(TaskMetadata(wanted_agent_id=wanted)).decode(),
            )
        )
        await record(
            project_id, "task.created", actor=actor, subject=task_id, payload={"title": form.title, "to": "backlog"}
        )
        task = await get_task(task_id)
        return await start_in_lock(task, actor=actor) if form.start else task


async def create_from_work(project_id: str, form: NewTask, actor: Actor, **columns: Any) -> TaskRow:
    """A card for work that is there already: it waits for approval at once. The caller holds the project's lock."""
    task_id, moment = create_id(), now()
    position = await make_room(project_id, "waiting_approval", None)
    await Task.insert(
        Task(
            id=task_id,
            project_id=project_id,
            title=form.title,
            description=form.description,
            labels=msgspec.json.encode(unique(form.labels)).decode(),
            column="waiting_approval",
            position=position,
            metadata=msgspec.json.encode(TaskMetadata()).decode(),
            started_at=moment,
            completed_at=moment,
            **columns,
        )
    )
    payload = {"title": form.title, "to": "waiting_approval"}
    await record(project_id, "task.created", actor=actor, subject=task_id, payload=payload)
    return await get_task(task_id)


def unique(labels: list[str]) -> list[str]:
    """Labels without repeats, in the order they were typed."""
    return list(dict.fromkeys(labels))
