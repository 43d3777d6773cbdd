"""Hand in what a stopped run left: the card goes to Waiting approval with the diff that is there."""

import msgspec

from app.agents.freeing import free
from app.agents.rows import get_agent
from app.clock import now
from app.errors import Conflict
from app.events.recording import SYSTEM, Actor
from app.git.refusals import GitError, GitRefused
from app.projects.locking import locked
from app.runs.measuring import Work, measure
from app.runs.rows import live_run_of_task
from app.tasks import states as task_states
from app.tasks.moving import transition
from app.tasks.rows import TaskRow, get_task
from app.worktrees.removing import save_work
from app.worktrees.rows import WorktreeRow, get_worktree


async def submit(task_id: str, *, actor: Actor, position: int | None = None) -> TaskRow:
    """In progress to Waiting approval. `TASK_NO_DIFF` when the branch has no changes, 409 while a run is live."""
    task = await get_task(task_id)
    task_states.after(task.column, "submit")
    await _require_no_run(task_id)
    work = await _commit(task, await _worktree(task), actor)
    if work.files == 0:
        raise Conflict("The branch has no changes to hand in.", "TASK_NO_DIFF")
    async with locked(task.project_id):
        task = await get_task(task_id)
        await _require_no_run(task_id)
        await _release(task)
        metadata = msgspec.structs.replace(task.metadata, pending=None, ended_by=None)
        return await transition(
            task,
            "submit",
            actor=actor,
            position=position,
            completed_at=now(),
            diff_summary=work.summary,
            files_changed=work.files,
            lines_added=work.added,
            lines_removed=work.removed,
            metadata=msgspec.json.encode(metadata).decode(),
        )


async def _commit(task: TaskRow, worktree: WorktreeRow, actor: Actor) -> Work:
    try:
        await save_work(worktree, f"{task.title}\n\nHanded in by {actor.name}")
        return await measure(worktree)
    except (GitRefused, GitError, OSError) as error:
        # Cancelling takes the folder away under our hands; what was in it is on the branch.
        task_states.after((await get_task(task.id)).column, "submit")
        raise Conflict(f"The work could not be committed: {error}") from error


async def _require_no_run(task_id: str) -> None:
    if await live_run_of_task(task_id) is not None:
        raise Conflict("An agent is at work on this task. Stop it first.", "AGENT_ALREADY_RUNNING")


async def _worktree(task: TaskRow) -> WorktreeRow:
    worktree = await get_worktree(task.worktree_id) if task.worktree_id else None
    if worktree is None or worktree.status != "active":
        raise Conflict("This task has no worktree yet, so there is nothing to hand in.", "TASK_NO_DIFF")
    return worktree


async def _release(task: TaskRow) -> None:
    agent = await get_agent(task.agent_id) if task.agent_id else None
    if agent is not None and agent.current_task_id == task.id:
        await free(agent, SYSTEM)
