"""Give an agent another try at the task on which it stopped, in the same conversation."""

from app.agents import states
from app.agents.rows import AgentRow, get_agent
from app.errors import Conflict
from app.events.recording import Actor
from app.postgres.reading import one
from app.projects.locking import locked
from app.runs.rows import RunRow, runs_of_task
from app.sessions.messaging import follow_up
from app.tasks.rows import SELECT_TASK, Pending, TaskRow


async def retry(agent_id: str, actor: Actor) -> TaskRow:
    """Queue the task on which an agent stopped for that agent again. `AGENT_NOT_RUNNING` when there is none."""
    agent = await get_agent(agent_id)
    async with locked(agent.project_id):
        agent = await get_agent(agent_id)
        task = await _stopped_task(agent)
        if task is None:
            raise Conflict(f"{agent.name} has no failed run to retry.", "AGENT_NOT_RUNNING")
        return await follow_up(task, agent, Pending("retry", _prompt(await runs_of_task(task.id))), actor=actor)


async def _stopped_task(agent: AgentRow) -> TaskRow | None:
    """The task that an agent in error holds; of one that was cleared, the first that still waits for a retry."""
    return await one(
        TaskRow,
        f"{SELECT_TASK} WHERE \"column\" = 'in_progress' AND agent_id = $1 AND NOT EXISTS"  # noqa: S608
        " (SELECT 1 FROM agent_runs r WHERE r.task_id = tasks.id AND r.completed_at IS NULL)"
        " ORDER BY id = $2 DESC NULLS LAST, position LIMIT 1",
        agent.id,
        agent.current_task_id,
    )


async def clear(agent_id: str, actor: Actor) -> AgentRow:
    """Let an agent in `error` that holds no task be idle again; one that holds a task is freed by cancelling that."""
    agent = await get_agent(agent_id)
    async with locked(agent.project_id):
        if (await get_agent(agent_id)).current_task_id is not None:
            raise Conflict(f"{agent.name} holds a task. Retry or cancel that.", "AGENT_ALREADY_RUNNING")
        await states.change(
            agent.project_id,
            agent.id,
            "idle",
            actor=actor,
            current_task_id=None,
            current_session_id=None,
            current_worktree_id=None,
            last_error=None,
            last_error_at=None,
        )
    return await get_agent(agent_id)


def _prompt(runs: list[RunRow]) -> str:
    """The last prompt again; where the conversation is known, with a word to go on."""
    last = runs[0]
    asked = next((run for run in runs if run.cause != "retry"), last).prompt
    if last.native_session_id is None:
        return asked
    return f"Your last run ended early ({last.error or last.error_type}). Go on where you stopped:\n\n{asked}"
