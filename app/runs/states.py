"""The legal moves of a run as data, and the one function that makes one. A run is begun as `starting`."""

from typing import Any, Literal

from app.agents.rows import LIVE
from app.agents.states import Move
from app.errors import Conflict
from app.events.recording import Actor, record
from app.runs.rows import RunRow, get_run
from app.runs.tables import AgentRun

RunEvent = Literal["begin", "pause", "resume", "complete", "fail"]

MOVES: dict[RunEvent, Move] = {
    "begin": Move(("starting",), "running"),
    "pause": Move(("running",), "paused"),
    "resume": Move(("paused",), "running"),
    "complete": Move(LIVE, "completed"),
    "fail": Move(LIVE, "error"),
}


async def change(run: RunRow, event: RunEvent, *, actor: Actor, **columns: Any) -> RunRow:
    """Compare-and-set a run's status with `columns`, and record it. The caller holds the project's lock.

    409 `AGENT_NOT_RUNNING` when its state does not allow the event; nothing is written then.
    """
    move = MOVES[event]
    values: dict[Any, Any] = {getattr(AgentRun, name): value for name, value in columns.items()}
    changed = (
        await AgentRun.update(values | {AgentRun.status: move.target})
        .where((AgentRun.id == run.id) & AgentRun.status.is_in(list(move.sources)))
        .returning(AgentRun.id)
    )
    if not changed:
        raise Conflict(f"The run cannot {event} in the state it is in now.", "AGENT_NOT_RUNNING", event=event)
    payload = {"status": move.target, "number": run.number, "error_type": columns.get("error_type")}
    await record(run.project_id, f"run.{move.target}", actor=actor, subject=run.id, payload=payload)
    return await get_run(run.id)
