"""Cancel a task: its run is stopped and verified dead, its work committed, its worktree removed."""

from contextlib import suppress

import msgspec

from app.agents.freeing import free
from app.agents.rows import get_agent
from app.errors import Conflict
from app.events.recording import SYSTEM, Actor
from app.git.repository import branch_oid, inspect
from app.git.worktrees import delete_branch
from app.projects.locking import locked
from app.projects.rows import get_project
from app.runs.beginning import forget_conversation
from app.runs.rows import live_run_of_task
from app.runs.stopping import stop_run
from app.sessions.opening import close_in_lock
from app.tasks import states as task_states
from app.tasks.moving import transition, write
from app.tasks.rows import TaskRow, get_task
from app.worktrees.merging import require_not_merging
from app.worktrees.removing import take_down
from app.worktrees.rows import WorktreeRow, get_worktree
from app.worktrees.states import change


async def cancel(task_id: str, *, actor: Actor, position: int | None = 0, discard: bool = False) -> TaskRow:
    """Back to Backlog. The branch stays, and starting the task again goes on from it.

    With `discard` the branch is deleted and the next start is a new one; `refs/agentpane/archive/…` keeps its commits.
    """
    task = await get_task(task_id)
    task_states.after(task.column, "cancel")
    task = await _stop_and_move(task, actor, position)
    if task.worktree_id is not None:
        worktree = await get_worktree(task.worktree_id)
        if worktree.status != "removed":
            await take_down(worktree, actor=actor)
        if discard:
            await discard_branch(task, worktree, actor)
    return await get_task(task_id)


async def _stop_and_move(task: TaskRow, actor: Actor, position: int | None) -> TaskRow:
    """An engine may begin the task after we looked: then that run is stopped as well before the card moves."""
    while True:
        if run := await live_run_of_task(task.id):
            with suppress(Conflict):  # It ended by itself meanwhile.
                await stop_run(run, actor)
        async with locked(task.project_id):
            if await live_run_of_task(task.id) is None:
                return await _to_backlog(await get_task(task.id), actor, position)


async def discard_branch(task: TaskRow, worktree: WorktreeRow, actor: Actor) -> None:
    """Delete the branch of a task in Backlog; 409 when it was started again meanwhile.

    Quick enough for the lock, which keeps a new run from taking the branch that is being deleted."""
    repository = await inspect((await get_project(task.project_id)).root)
    async with locked(task.project_id):
        task = await get_task(task.id)
        if task.column != "backlog" or task.worktree_id != worktree.id:
            raise Conflict(
                "This task was cancelled, and started again before its branch was gone, so the branch stays.",
                "TASK_INVALID_TRANSITION",
            )
        if (tip := await branch_oid(repository, worktree.branch)) is not None:
            await delete_branch(repository, worktree.branch, tip, f"refs/agentpane/archive/{worktree.id}")
        # The agent would go on believing in files that are gone.
        await forget_conversation(task.session_id)
        await write(task, "task.discarded", actor=actor, branch=None, worktree_id=None)


async def _to_backlog(task: TaskRow, actor: Actor, position: int | None) -> TaskRow:
    """The card's move, its agent's release, its session's end and its worktree's, in one transaction."""
    await require_not_merging(task.worktree_id)
    if task.agent_id is not None:
        await _release(task)
    if task.session_id is not None:
        await close_in_lock(task.session_id, task.project_id, actor=actor)
    await _hold_for_removal(task, actor)
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


async def _hold_for_removal(task: TaskRow, actor: Actor) -> None:
    """From now on no new run begins in the worktree."""
    worktree = await get_worktree(task.worktree_id) if task.worktree_id else None
    if worktree is not None and worktree.status not in ("removing", "removed"):
        await change(worktree, "remove", actor=actor)


async def _release(task: TaskRow) -> None:
    agent = await get_agent(task.agent_id or "")
    if agent.current_task_id == task.id:
        await free(agent, SYSTEM)
