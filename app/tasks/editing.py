"""Change what a card says, or delete a card that nobody works on."""

import msgspec

from app.agents.rows import worker_of
from app.errors import Conflict
from app.events.recording import Actor, record
from app.postgres.reading import scalar
from app.projects.locking import locked
from app.tasks.creating import unique
from app.tasks.forms import TaskEdit
from app.tasks.moving import write
from app.tasks.positions import take_out
from app.tasks.rows import TaskRow, get_task
from app.tasks.tables import Task


async def edit_task(task_id: str, form: TaskEdit, actor: Actor) -> TaskRow:
    """Title, description, labels, wanted agent, and what holds for this task alone; what an agent was already told does
    not change."""
    task = await get_task(task_id)
    wanted = await worker_of(task.project_id, form.agent_id)
    async with locked(task.project_id):
        task = await get_task(task_id)
        metadata = msgspec.structs.replace(
            task.metadata,
            wanted_agent_id=wanted,
            max_turns=form.max_turns,
            timeout_minutes=form.timeout_minutes,
            model=form.model,
            allowed_tools=tuple(dict.fromkeys(form.allowed_tools)) or None,
        )
        return await write(
            task,
            "task.edited",
            actor=actor,
            title=form.title,
            description=form.description,
            labels=msgspec.json.encode(unique(form.labels)).decode(),
            metadata=msgspec.json.encode(metadata).decode(),
        )


async def delete_task(task_id: str, actor: Actor) -> TaskRow:
    """Delete a card in Backlog or Verified; its branch stays in the repository. Returns what was deleted."""
    task = await get_task(task_id)
    async with locked(task.project_id):
        task = await get_task(task_id)
        if task.column in ("in_progress", "waiting_approval"):
            raise Conflict("Cancel this task first: an agent's work hangs on it.", "TASK_INVALID_TRANSITION")
        if await scalar("SELECT 1 FROM merges WHERE task_id = $1 AND status IN ('prepared', 'advancing')", task_id):
            raise Conflict("Its merge is being taken back just now.", "TASK_INVALID_TRANSITION")
        await Task.delete().where(Task.id == task_id)
        await take_out(task.project_id, task.column, task.position)
        payload = {"title": task.title, "from": task.column, "branch": task.branch}
        await record(task.project_id, "task.deleted", actor=actor, subject=task_id, payload=payload)
    return task
