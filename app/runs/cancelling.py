"""Cancel a task: its run is stopped and verified dead, its work committed, its worktree removed."""

import msgspec

from app.agents import states
from app.agents.rows import get_agent
from app.events.recording import SYSTEM, Actor
from app.git.repository import branch_oid, inspect
from app.git.worktrees import delete_branch
from app.projects.locking import locked
from app.projects.rows import get_project
from app.runs.rows import live_run_of_task
from app.runs.stopping import stop_run
from app.sessions.opening import close_in_lock
from app.tasks import states as task_states
from app.tasks.moving import transition, write
from app.tasks.rows import TaskRow, get_task
from app.worktrees.removing import take_down
from app.worktrees.rows import WorktreeRow, get_worktree


async def cancel(task_id: str, *, actor: Actor, position: int | None = 0, discard: bool = False) -> TaskRow:
    """Back to Backlog. The branch stays, and starting the task again goes on from it.

    With `discard` the branch is deleted and the next start is a new one; `refs/agentpane/archive/…` keeps its commits.
    """
    task = await get_task(task_id)
    task_states.after(task.column, "cancel")
    run = await live_run_of_task(task_id)
    if run is not None:
        await stop_run(run, actor)
    async with locked(task.project_id):
        task = await _to_backlog(await get_task(task_id), actor, position)
    if task.worktree_id is not None:
        worktree = await get_worktree(task.worktree_id)
        if worktree.status != "removed":
            await take_down(worktree, actor=actor)
        if discard:
            await _discard(task, worktree, actor)
    return await get_task(task_id)


async def _discard(task: TaskRow, worktree: WorktreeRow, actor: Actor) -> None:
    repository = await inspect((await get_project(task.project_id)).root)
    tip = await branch_oid(repository, worktree.branch)
    if tip is not None:
        await delete_branch(repository, worktree.branch, tip, f"refs/agentpane/archive/{worktree.id}")
    async with locked(task.project_id):
        await write(await get_task(task.id), "task.discarded", actor=actor, branch=None, worktree_id=None)


async def _to_backlog(task: TaskRow, actor: Actor, position: int | None) -> TaskRow:
    """The card's move, its agent's release and its session's end, in one transaction."""
    if task.agent_id is not None:
        await _release(task)
    if task.session_id is not None:
        await close_in_lock(task.session_id, task.project_id, actor=actor)
    metadata = msgspec.structs.replace(task.metadata, pending=None, ended_by=None)
    return await transition(
        task,
        "cancel",
        actor=actor,
        position=position,
        agent_id=None,
        started_at=None,
        completed_at=None,
        metadata=msgspec.json.encode(metadata).decode(),
    )


async def _release(task: TaskRow) -> None:
    agent = await get_agent(task.agent_id or "")
    if agent.current_task_id == task.id and agent.status == "error":
        await states.change(
            task.project_id,
            agent.id,
            "idle",
            actor=SYSTEM,
            current_task_id=None,
            current_session_id=None,
            current_worktree_id=None,
            last_error=None,
            last_error_at=None,
        )
