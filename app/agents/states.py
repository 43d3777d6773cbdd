"""The legal states of an agent as data. A run uses the same states from `starting` on."""

from typing import Any

from app.agents.rows import AgentStatus
from app.agents.tables import Agent
from app.clock import now
from app.errors import Conflict
from app.events.recording import Actor, record

#: From each state, the states that may follow.
FOLLOWS: dict[AgentStatus, tuple[AgentStatus, ...]] = {
    "idle": ("starting",),
    "completed": ("starting", "idle"),
    "starting": ("running", "completed", "error", "idle"),
    "running": ("paused", "completed", "error", "idle"),
    "paused": ("running", "completed", "error", "idle"),
    "error": ("starting", "idle"),
}


async def change(project_id: str, agent_id: str, after: AgentStatus, *, actor: Actor, **columns: Any) -> None:
    """Compare-and-set an agent's status with `columns`, and record it. The caller holds the project's lock."""
    before = [state for state, following in FOLLOWS.items() if after in following]
    values: dict[Any, Any] = {getattr(Agent, name): value for name, value in columns.items()}
    values |= {Agent.status: after, Agent.updated_at: now()}
    changed = (
        await Agent.update(values).where((Agent.id == agent_id) & Agent.status.is_in(before)).returning(Agent.name)
    )
    if not changed:
        raise Conflict(f"The agent cannot become {after} from the state it is in now.", "AGENT_NOT_RUNNING")
    payload = {"status": after, "name": changed[0]["name"]}
    await record(project_id, f"agent.{after}", actor=actor, subject=agent_id, payload=payload)
