"""Give an agent another try at the task on which it stopped, in the same conversation."""

from app.agents.freeing import free
from app.agents.rows import AgentRow, get_agent
from app.errors import Conflict
from app.events.recording import Actor
from app.projects.locking import locked
from app.runs.beginning import forget_conversation
from app.runs.rows import RunRow, runs_of_session, runs_of_task
from app.sessions import standalone
from app.sessions.messaging import follow_up
from app.sessions.standalone import Standalone
from app.sessions.tables import StandaloneSession
from app.tasks.rows import Pending, TaskRow, get_task
from app.tasks.starting import prompt_of


async def retry(agent_id: str, actor: Actor, *, fresh: bool = False) -> None:
    """Queue the task, or the chat, on which an agent stopped for it again. `AGENT_NOT_RUNNING` when there is none.

    With `fresh` it is told the task anew and remembers nothing; the files of its worktree stay.
    """
    agent = await get_agent(agent_id)
    async with locked(agent.project_id):
        agent = await get_agent(agent_id)
        session_id = agent.current_session_id
        if agent.status != "error" or session_id is None:
            raise Conflict(f"{agent.name} has no failed run to retry.", "AGENT_NOT_RUNNING")
        if fresh:
            await forget_conversation(session_id)
        if chat := await standalone.standalone(session_id):
            await _retry_chat(chat, agent, actor)
        elif agent.current_task_id is not None:
            await _retry_task(await get_task(agent.current_task_id), agent, actor, fresh)


async def _retry_task(task: TaskRow, agent: AgentRow, actor: Actor, fresh: bool) -> None:
    prompt = _fresh_prompt(task) if fresh else _prompt(await runs_of_task(task.id))
    await follow_up(task, agent, Pending("retry", prompt), actor=actor)


async def _retry_chat(chat: Standalone, agent: AgentRow, actor: Actor) -> None:
    await free(agent, actor)
    if agent.type == "background":
        await standalone.write(chat.id, {StandaloneSession.keeps_running: True})
    await standalone.ask(chat, Pending("retry", _prompt(await runs_of_session(chat.id))), actor=actor)


async def clear(agent_id: str, actor: Actor) -> AgentRow:
    """Let an agent in `error` that holds no task be idle again; one that holds a task is freed by cancelling that."""
    agent = await get_agent(agent_id)
    async with locked(agent.project_id):
        current = await get_agent(agent_id)
        if current.current_task_id is not None:
            raise Conflict(f"{agent.name} holds a task. Retry or cancel that.", "AGENT_ALREADY_RUNNING")
        await free(current, actor)
    return await get_agent(agent_id)


def _fresh_prompt(task: TaskRow) -> str:
    asked = [prompt_of(task), "An earlier try ended early. What it saved is in this folder: look at that first."]
    if task.rejection_reason:
        asked.append(f"A person who reviewed it asked for changes:\n\n{task.rejection_reason}")
    return "\n\n".join(asked)


def _prompt(runs: list[RunRow]) -> str:
    """The last prompt again; where the program remembers it, with a word about how that ended."""
    last = runs[0]
    asked = next((run for run in runs if run.cause != "retry"), last).prompt
    if last.native_session_id is None or last.runner == "command":
        return asked
    return f"Your last run ended early ({last.error or last.error_type}). Go on where you stopped:\n\n{asked}"
