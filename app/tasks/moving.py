"""Move a card: one compare-and-set in the open lock of its project, with the event that tells everybody."""

from typing import Any

from app.clock import now
from app.errors import Conflict
from app.events.recording import Actor, record
from app.postgres.reading import one
from app.tasks import states
from app.tasks.positions import make_room, step_aside, take_out
from app.tasks.rows import SELECT_TASK, TaskRow
from app.tasks.tables import Task


async def transition(
    task: TaskRow, event: states.TaskEvent, *, actor: Actor, position: int | None = None, **changes: Any
) -> TaskRow:
    """Carry out `event` for `task` and write `changes` with it. The caller holds the project's lock.

    `position` is where in the new column (None: at the end). 409 when the state does not allow it, or when somebody
    else was quicker.
    """
    current = await _current(task)
    target = states.after(current.column, event)
    if target == current.column:
        return await write(current, f"task.{event}", actor=actor, **changes)
    await take_out(current.project_id, current.column, current.position)
    place = await make_room(current.project_id, target, position)
    return await write(current, "task.moved", actor=actor, column=target, position=place, cause=event, **changes)


async def reorder(task: TaskRow, position: int, *, actor: Actor) -> TaskRow:
    """Put the card at another place of its own column. The caller holds the project's lock."""
    current = await _current(task)
    if current.column != task.column:
        raise states.refusal(current.column, "move")
    place = await step_aside(current.project_id, current.column, current.position, position)
    return await write(current, "task.moved", actor=actor, position=place, cause="reorder")


async def write(task: TaskRow, kind: str, *, actor: Actor, cause: str | None = None, **changes: Any) -> TaskRow:
    """Write columns of a task whose column is still what the caller saw, and record it. In the project's lock."""
    values: dict[Any, Any] = {getattr(Task, name): value for name, value in changes.items()}
    values[Task.updated_at] = now()
    changed = await Task.update(values).where((Task.id == task.id) & (Task.column == task.column)).returning(Task.id)
    if not changed:
        raise Conflict("Somebody else changed this task just now.", "TASK_INVALID_TRANSITION")
    after = await _current(task)
    payload = {"from": task.column, "to": after.column, "position": after.position, "cause": cause, "title": task.title}
    await record(task.project_id, kind, actor=actor, subject=task.id, payload=payload)
    return after


async def _current(task: TaskRow) -> TaskRow:
    current = await one(TaskRow, f"{SELECT_TASK} WHERE id = $1", task.id)
    if current is None:
        raise Conflict("This task was deleted meanwhile.", "TASK_INVALID_TRANSITION")
    return current
