"""The limits that hold for a run. Its turns and minutes are those of its configuration; the rest stands in budgets."""

from app.agents.rows import AgentRow
from app.budgets.limits import Limit, Usual, action_in, effective
from app.budgets.rows import Action, Span, limits_for
from app.postgres.reading import one

#: A command is told no turns, and a background agent is at work until it is stopped.
_USUAL = """
SELECT CASE WHEN d.runner = 'command' THEN NULL ELSE d.max_turns END AS turns,
  CASE WHEN a.type = 'background' THEN NULL ELSE (SELECT (said ->> 'said')::int
    FROM jsonb_array_elements(d.configuration -> 'values') said WHERE said ->> 'key' = 'timeoutMinutes') END AS minutes
FROM run_details d JOIN agent_runs r ON r.id = d.run_id JOIN agents a ON a.id = r.agent_id WHERE d.run_id = $1
"""


async def limits_of_run(run_id: str, project_id: str, agent_id: str, task_id: str | None) -> list[Limit]:
    """Every limit that holds for a run as it was started."""
    return effective(await limits_for(project_id, agent_id, task_id), await one(Usual, _USUAL, run_id) or Usual())


async def limits_in(project_id: str, agent_id: str | None, task_id: str | None) -> list[Limit]:
    """Those that budgets say, whatever the configuration of a run will be."""
    return effective(await limits_for(project_id, agent_id, task_id), Usual())


async def action_at(agent: AgentRow, task_id: str | None, span: Span) -> Action:
    """What happens at the limits of a span."""
    return action_in(await limits_for(agent.project_id, agent.id, task_id), span)
