"""The legal moves of an agent as data, and the one function that makes one. A run moves the same way once it exists."""

from typing import Any, Literal

from msgspec import Struct

from app.agents.rows import AgentStatus
from app.agents.tables import Agent
from app.clock import now
from app.errors import Conflict
from app.events.recording import Actor, record

AgentEvent = Literal["start", "begin", "pause", "resume", "complete", "fail", "clear"]


class Move(Struct, frozen=True):
    """The states in which an event may happen, and the one that it leads to."""

    sources: tuple[AgentStatus, ...]
    target: AgentStatus


MOVES: dict[AgentEvent, Move] = {
    "start": Move(("idle", "completed"), "starting"),
    "begin": Move(("starting",), "running"),
    "pause": Move(("running",), "paused"),
    "resume": Move(("paused",), "running"),
    "complete": Move(("starting", "running", "paused"), "completed"),
    "fail": Move(("starting", "running", "paused"), "error"),
    "clear": Move(("error", "completed"), "idle"),
}


async def change(project_id: str, agent_id: str, event: AgentEvent, *, actor: Actor, **columns: Any) -> None:
    """Compare-and-set an agent's status with `columns`, and record it. The caller holds the project's lock.

    409 `AGENT_NOT_RUNNING` when its state does not allow the event; nothing is written then.
    """
    move = MOVES[event]
    values: dict[Any, Any] = {getattr(Agent, name): value for name, value in columns.items()}
    values |= {Agent.status: move.target, Agent.updated_at: now()}
    changed = (
        await Agent.update(values)
        .where((Agent.id == agent_id) & Agent.status.is_in(list(move.sources)))
        .returning(Agent.name)
    )
    if not changed:
        raise Conflict(f"The agent cannot {event} in the state it is in now.", "AGENT_NOT_RUNNING", event=event)
    payload = {"status": move.target, "name": changed[0]["name"]}
    await record(project_id, f"agent.{move.target}", actor=actor, subject=agent_id, payload=payload)
