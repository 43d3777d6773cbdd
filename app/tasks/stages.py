"""The stage of a task: the one word that a card, a task page and a session page all show."""

from typing import Literal

from app.agents.rows import LIVE, AgentStatus
from app.tasks.rows import Column

Stage = Literal["queued", "starting", "running", "paused", "needs_you", "error", "review", "done", "idle"]


def pause_word(stage: Stage, pause_requested: bool) -> str:
    """What the stage of a live run says where what is wanted is not yet what is; else nothing."""
    if pause_requested and stage in ("starting", "running"):
        return f"{stage.capitalize()}, about to pause"
    return "Paused, about to go on" if stage == "paused" and not pause_requested else ""


def stage_of(column: Column, agent_status: AgentStatus | None, asks: bool = False) -> Stage:
    """The stage from the task's column and the status of the agent that holds it; None where no agent does.

    `asks`: the agent asks a person for a call, and nobody has answered.
    """
    if column == "backlog":
        return "idle"
    if column == "waiting_approval":
        return "review"
    if column == "verified":
        return "done"
    if asks and agent_status in LIVE:
        return "needs_you"
    stages: dict[AgentStatus | None, Stage] = {
        None: "queued",
        "starting": "starting",
        "running": "running",
        "paused": "paused",
    }
    return stages.get(agent_status, "error")
