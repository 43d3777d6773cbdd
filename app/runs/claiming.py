"""Take the next queued task: one transaction under the project lock gives it agent, session, run and worktree.

Agents at work are counted in the database, so `max_concurrent_agents` holds whoever claims.
"""

import msgspec
from msgspec import Struct

from app.agents import states
from app.agents.creating import create_from_project
from app.agents.rows import FREE, LIVE, AgentRow, agents_of
from app.clock import now
from app.events.recording import SYSTEM, record
from app.ids import create_id
from app.postgres.reading import execute, rows, scalar
from app.projects.locking import locked
from app.projects.rows import ProjectRow, get_project
from app.runs.counting import tasks_of_agent
from app.runs.tables import AgentRun, RunDetail
from app.sessions.opening import session_for
from app.tasks.moving import write
from app.tasks.rows import SELECT_TASK, Pending, TaskRow
from app.tasks.starting import prompt_of
from app.worktrees.opening import worktree_for


class Claim(Struct, frozen=True):
    """What the engine is to drive."""

    run_id: str
    task_id: str
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
    for task in await queued(project_id):
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
    """The ids of the projects in which a task waits."""

    class _Id(Struct):
        project_id: str

    found = await rows(
        _Id, "SELECT DISTINCT project_id FROM tasks WHERE \"column\" = 'in_progress' AND agent_id IS NULL"
    )
    return [row.project_id for row in found]


async def _agent_for(task: TaskRow, agents: list[AgentRow], project: ProjectRow) -> AgentRow | None:
    """The agent the task names, else the first free one, else a new one while there is room."""
    workers = [agent for agent in agents if agent.type == "task"]
    wanted = task.metadata.wanted_agent_id
    named = next((agent for agent in workers if agent.id == wanted), None)
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
    run_id = await _insert_run(task, agent, session_id, pending)
    metadata = msgspec.structs.replace(task.metadata, pending=None, ended_by=None)
    await states.change(
        project.id, agent.id, "start", actor=SYSTEM,
        current_task_id=task.id, current_session_id=session_id, current_worktree_id=worktree.id,
        last_error=None, last_error_at=None, **await tasks_of_agent(agent.id),
    )  # fmt: skip
    await write(
        task, "task.begun", actor=SYSTEM,
        agent_id=agent.id, session_id=session_id, worktree_id=worktree.id, branch=worktree.branch,
        metadata=msgspec.json.encode(metadata).decode(),
    )  # fmt: skip
    return Claim(run_id, task.id, agent.id, session_id, worktree.id, project.id)


async def _insert_run(task: TaskRow, agent: AgentRow, session_id: str, pending: Pending) -> str:
    run_id = create_id()
    conversation = await _conversation(task.id, agent)
    number = 1 + int(await scalar("SELECT count(*) FROM agent_runs WHERE task_id = $1", task.id))
    await AgentRun.insert(
        AgentRun(
            id=run_id,
            agent_id=agent.id,
            task_id=task.id,
            project_id=task.project_id,
            session_id=session_id,
            prompt=_prompt(task, pending, conversation),
            token_input_count=None,
            token_output_count=None,
            started_at=now(),
        )
    )
    takes_settings = agent.config.runner != "command"
    await RunDetail.insert(
        RunDetail(
            run_id=run_id,
            number=number,
            cause=pending.cause,
            runner=agent.config.runner,
            model=agent.config.model if takes_settings else None,
            max_turns=agent.config.max_turns if takes_settings else None,
            native_session_id=conversation,
        )
    )
    words = {
        "task": "began",
        "rejection": "began after a rejection",
        "message": "began with a message",
        "undo": "began after its merge was undone",
    }
    await record(
        task.project_id, "status", actor=SYSTEM, subject=run_id, session_id=session_id,
        payload={"text": f"Run {number} {words.get(pending.cause, 'began again')}", "status": "starting"},
    )  # fmt: skip
    return run_id


def _prompt(task: TaskRow, pending: Pending, conversation: str | None) -> str:
    """What the agent is asked; one that cannot remember the task is told it again."""
    if conversation is not None or pending.cause in ("task", "retry"):
        return pending.prompt
    return f"{prompt_of(task)}\n\n{pending.prompt}"


async def _conversation(task_id: str, agent: AgentRow) -> str | None:
    """The program's conversation of the task's last run with the same runner, to be resumed; a command cannot."""
    if agent.config.runner == "command":
        return None
    found = await scalar(
        "SELECT d.native_session_id FROM agent_runs r JOIN run_details d ON d.run_id = r.id"
        " WHERE r.task_id = $1 AND d.runner = $2 AND d.native_session_id IS NOT NULL ORDER BY d.number DESC LIMIT 1",
        task_id,
        agent.config.runner,
    )
    return str(found) if found else None


async def forget_conversation(task_id: str) -> None:
    """The next run of the task begins a new conversation. The caller holds the project's lock."""
    await execute(
        "UPDATE run_details SET native_session_id = NULL"
        " WHERE run_id IN (SELECT id FROM agent_runs WHERE task_id = $1)",
        task_id,
    )
