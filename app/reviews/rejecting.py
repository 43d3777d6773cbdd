"""Send work back with a reason: the same agent goes on in the same conversation."""

from typing import Any

import msgspec

from app.configuration.templates import DEFAULTS, render
from app.events.recording import Actor
from app.projects.locking import locked
from app.reviews.deciding import Seen, record_decision, seen_now
from app.tasks import states
from app.tasks.moving import transition
from app.tasks.rows import Pending, TaskRow, get_task
from app.worktrees.merging import require_not_merging


async def reject(task_id: str, reason: str, actor: Actor) -> TaskRow:
    """Waiting approval to the front of the queue, with the reason as the next prompt."""
    task = await get_task(task_id)
    states.after(task.column, "reject")
    seen = await seen_now(task)
    async with locked(task.project_id):
        values = {"rejection.reason": reason, "rejection.person": actor.name}
        pending = Pending("rejection", render(DEFAULTS["rejection"], values), values)
        return await send_back_in_lock(task_id, reason, pending, actor, seen)


async def send_back_in_lock(
    task_id: str, reason: str, pending: Pending, actor: Actor, seen: Seen, *, decision: str = "rejected", **told: Any
) -> TaskRow:
    """The same for any reason: `pending` is what the agent is asked, `told` goes into the event of the decision.
    The caller holds the project's lock."""
    task = await get_task(task_id)
    await require_not_merging(task.worktree_id)
    metadata = msgspec.structs.replace(task.metadata, wanted_agent_id=task.agent_id, pending=pending, ended_by=None)
    task = await transition(
        task,
        "reject",
        actor=actor,
        position=0,
        agent_id=None,
        rejection_reason=reason,
        rejection_count=task.rejection_count + 1,
        completed_at=None,
        metadata=msgspec.json.encode(metadata).decode(),
    )
    await record_decision(task, actor, {"decision": decision, "text": reason, **told}, seen)
    return task
