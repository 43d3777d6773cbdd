"""Take what is next: one transaction under the project lock gives it agent, session, run and worktree.

A message in a chat and a background agent go before the tasks of the queue, which is served in board order.

Agents at work are counted in the database, so `max_concurrent_agents` holds whoever claims. While the project's day
is used up, the queue waits.
"""

import msgspec
from msgspec import Struct

from app.agents import states
from app.agents.creating import create_from_project
from app.agents.rows import FREE, LIVE, AgentRow, agents_of
from app.budgets.judging import used_up_today
from app.events.recording import SYSTEM
from app.postgres.reading import rows
from app.projects.locking import locked
from app.projects.rows import ProjectRow, get_project
from app.runs.beginning import insert_run, prompt_for
from app.runs.counting import tasks_of_agent
from app.sessions import standalone
from app.sessions.opening import session_for
from app.sessions.standalone import Standalone
from app.sessions.tables import StandaloneSession
from app.tasks.configured import task_values
from app.tasks.moving import write
from app.tasks.rows import SELECT_TASK, Pending, TaskRow
from app.tasks.starting import prompt_of
from app.worktrees.opening import worktree_for, worktree_for_session


class Claim(Struct, frozen=True):
    """What the engine is to drive."""

    run_id: str
    #: None for a run in a session that belongs to no task.
    task_id: str | None
    agent_id: str
    session_id: str
    worktree_id: str
    project_id: str


async def claim_next(project_id: str) -> Claim | None:
    """The next run of this project, begun in the database; None while nothing can begin."""
    async with locked(project_id):
        return await claim_in_lock(project_id)


async def claim_in_lock(project_id: str) -> Claim | None:
    """As `claim_next`, in the transaction of a caller that holds the project's lock."""
    project = await get_project(project_id)
    agents = await agents_of(project_id)
    if sum(agent.status in LIVE for agent in agents) >= project.max_concurrent_agents:
        return None
    for session in await standalone.waiting(project_id):
        agent = next((agent for agent in agents if agent.id == session.agent_id and agent.status in FREE), None)
        if agent is not None:
            return await _begin_standalone(session, agent, project)
    tasks = await queued(project_id)
    if tasks and await used_up_today(project_id):
        return None
    for task in tasks:
        agent = await _agent_for(task, agents, project)
        if agent is not None:
            return await _begin(task, agent, project)
    return None


async def queued(project_id: str) -> list[TaskRow]:
    """The queue of a project: tasks in progress without an agent, in board order.

    A task whose worktree is just being removed waits for that: its branch cannot be checked out twice.
    """
    return await rows(
        TaskRow,
        f"{SELECT_TASK} WHERE project_id = $1 AND \"column\" = 'in_progress' AND agent_id IS NULL"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM worktrees w WHERE w.id = worktree_id AND w.status = 'removing')"
        " ORDER BY position",
        project_id,
    )


async def projects_with_queue() -> list[str]:
    """The ids of the projects in which a task, or a session without one, waits."""

    class _Id(Struct):
        project_id: str

    found = await rows(
        _Id,
        "SELECT project_id FROM tasks WHERE \"column\" = 'in_progress' AND agent_id IS NULL UNION"
        " SELECT s.project_id FROM standalone_sessions o JOIN sessions s ON s.id = o.session_id"
        " WHERE s.is_active AND o.pending IS NOT NULL",
    )
    return [row.project_id for row in found]


async def _agent_for(task: TaskRow, agents: list[AgentRow], project: ProjectRow) -> AgentRow | None:
    """The agent the task names, else the first free one, else a new one while there is room.

    A task that was made from a chat names the agent of the chat.
    """
    workers = [agent for agent in agents if agent.type == "task"]
    wanted = task.metadata.wanted_agent_id
    named = next((agent for agent in agents if agent.id == wanted and agent.type != "background"), None)
    if named is not None and not _is_stuck(named, task):
        return named if named.status in FREE else None
    free = next((agent for agent in workers if agent.status in FREE), None)
    if free is None and len(workers) < project.max_concurrent_agents:
        return await create_from_project(project.id, SYSTEM)
    return free


def _is_stuck(agent: AgentRow, task: TaskRow) -> bool:
    """Whether work that is to go on would wait for an agent that itself waits for a person, on another task."""
    goes_on = task.metadata.pending is not None and task.metadata.pending.cause != "task"
    return goes_on and agent.status == "error" and agent.current_task_id != task.id


async def _begin(task: TaskRow, agent: AgentRow, project: ProjectRow) -> Claim:
    session_id = await session_for(task, agent.id)
    worktree = await worktree_for(task, project)
    pending = task.metadata.pending or Pending("task", prompt_of(task))
    prompt = await prompt_for(task, session_id, agent, pending)
    values = task_values(
        task, branch=worktree.branch, base_branch=worktree.base_branch, project=project.name, agent=agent.name
    )
    run_id = await insert_run(agent, session_id, task.id, pending, prompt, values)
    metadata = msgspec.structs.replace(task.metadata, pending=None, ended_by=None)
    await _occupy(agent, session_id, worktree.id, task.id)
    await write(
        task, "task.begun", actor=SYSTEM,
        agent_id=agent.id, session_id=session_id, worktree_id=worktree.id, branch=worktree.branch,
        metadata=msgspec.json.encode(metadata).decode(),
    )  # fmt: skip
    return Claim(run_id, task.id, agent.id, session_id, worktree.id, project.id)


async def _begin_standalone(session: Standalone, agent: AgentRow, project: ProjectRow) -> Claim:
    assert session.pending is not None, "only sessions that wait for something are claimed"
    worktree = await worktree_for_session(session, project)
    run_id = await insert_run(agent, session.id, None, session.pending, session.pending.prompt)
    await _occupy(agent, session.id, worktree.id, None)
    await standalone.write(
        session.id,
        {
            StandaloneSession.pending: None,
            StandaloneSession.pending_since: None,
            StandaloneSession.worktree_id: worktree.id,
        },
    )
    return Claim(run_id, None, agent.id, session.id, worktree.id, project.id)


async def _occupy(agent: AgentRow, session_id: str, worktree_id: str, task_id: str | None) -> None:
    await states.change(
        agent.project_id, agent.id, "start", actor=SYSTEM,
        current_task_id=task_id, current_session_id=session_id, current_worktree_id=worktree_id,
        last_error=None, last_error_at=None, **await tasks_of_agent(agent.id),
    )  # fmt: skip
