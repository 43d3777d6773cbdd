"""Let an agent that waits for a person in `error` be free again."""

from app.agents import states
from app.agents.rows import AgentRow
from app.events.recording import Actor


async def free(agent: AgentRow, actor: Actor) -> None:
    """From `error` to `idle`, holding nothing; in another state nothing happens. In the project's lock."""
    if agent.status != "error":
        return
    await states.change(
        agent.project_id,
        agent.id,
        "clear",
        actor=actor,
        current_task_id=None,
        current_session_id=None,
        current_worktree_id=None,
        last_error=None,
        last_error_at=None,
    )
