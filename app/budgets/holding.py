"""The limits that hold for the runs of an agent, in a task or outside of any."""

from app.agents.rows import AgentRow
from app.budgets.limits import Limit, Usual, effective
from app.budgets.rows import limits_for
from app.projects.rows import ProjectRow


async def limits_in(project: ProjectRow, agent: AgentRow, task_id: str | None) -> list[Limit]:
    """Every limit. A command has turns only from its task, and a background agent is at work until it is stopped."""
    minutes = None if agent.type == "background" else project.config.timeout_minutes
    usual = Usual(turns=_usual_turns(agent), minutes=minutes)
    return effective(await limits_for(project.id, agent.id, task_id), usual)


async def turns_of(agent: AgentRow, task_id: str | None) -> int | None:
    """The turns that a run of an agent may take; None where nothing limits them."""
    limits = effective(await limits_for(agent.project_id, agent.id, task_id), Usual(turns=_usual_turns(agent)))
    return next((int(limit.most) for limit in limits if (limit.span, limit.measure) == ("run", "turns")), None)


def _usual_turns(agent: AgentRow) -> int | None:
    return None if agent.config.runner == "command" else agent.config.max_turns
