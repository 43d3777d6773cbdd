"""Chats: a conversational agent in a worktree of its own, whose changes can become a task that waits for approval."""

from app.agents.freeing import free
from app.agents.rows import get_agent
from app.errors import Conflict, NotFound
from app.events.recording import Actor, record
from app.git.refs import is_ancestor
from app.git.refusals import GitError, GitRefused
from app.git.repository import branch_oid, inspect
from app.git.worktrees import delete_branch
from app.postgres.reading import execute, scalar
from app.projects.locking import locked
from app.projects.rows import get_project
from app.runs.measuring import Work, measure
from app.sessions import standalone
from app.sessions.messaging import send
from app.sessions.opening import adopt, close_in_lock, is_live
from app.sessions.rows import SessionRow, get_session
from app.sessions.standalone import Standalone, title_of
from app.tasks.creating import create_from_work
from app.tasks.forms import NewTask
from app.tasks.rows import TaskRow
from app.tasks.starting import require_usable_repository
from app.worktrees.opening import give_to_task
from app.worktrees.removing import begin_removal_in_lock, save_work, take_down
from app.worktrees.rows import WorktreeRow, get_worktree


async def open_chat(agent_id: str, text: str, actor: Actor) -> SessionRow:
    """A new chat that begins with `text`. 409 for an agent of another type."""
    agent = await get_agent(agent_id)
    if agent.type != "conversational":
        raise Conflict(f"{agent.name} is a {agent.type} agent, and no chats are held with it.", "AGENT_NOT_RUNNING")
    await require_usable_repository(agent.project_id)
    async with locked(agent.project_id):
        agent = await get_agent(agent_id)  # It may have been deleted meanwhile.
        session = await standalone.open_standalone(agent, title_of(text), actor=actor)
    return await send(session.id, text, actor)


async def close_chat(session_id: str, actor: Actor) -> SessionRow:
    """Close a session without a task; its work is committed and its folder removed. The branch stays if it holds any.

    409 while an agent is at work in it, `SESSION_CLOSED` when it is closed already.
    """
    chat = await _chat(session_id)
    async with locked(chat.project_id):
        if await is_live(chat.id):
            raise Conflict("An agent is at work in this session. Stop it first.", "AGENT_ALREADY_RUNNING")
        if not (await _chat(session_id)).is_active:
            raise Conflict("This session is closed already.", "SESSION_CLOSED")
        await _release(chat, actor)
        await standalone.settle(chat, actor=actor)
        await close_in_lock(chat.id, chat.project_id, actor=actor)
        if chat.worktree_id is not None:
            await begin_removal_in_lock(chat.worktree_id, actor)
    if chat.worktree_id is not None:
        await _tidy(await get_worktree(chat.worktree_id), actor)
    return await get_session(session_id)


async def turn_into_task(session_id: str, form: NewTask, actor: Actor) -> TaskRow:
    """The chat's changes as a task that waits for approval; the chat becomes its session.

    409 while the agent is at work, `TASK_NO_DIFF` when nothing was changed.
    """
    chat = await _chat(session_id)
    worktree = await _active_worktree(chat)
    await _require_rest(chat)
    work = await _commit(worktree, f"{form.title}\n\nHanded in by {actor.name}")
    if work.files == 0:
        raise Conflict("The agent has not changed any file, so there is nothing to hand in.", "TASK_NO_DIFF")
    async with locked(chat.project_id):
        await _require_rest(await _chat(session_id))
        await _release(chat, actor)
        task = await create_from_work(
            chat.project_id, form, actor,
            agent_id=chat.agent_id, session_id=chat.id, worktree_id=worktree.id, branch=worktree.branch,
            turn_count=await _turns_of(chat), diff_summary=work.summary,
            files_changed=work.files, lines_added=work.added, lines_removed=work.removed,
        )  # fmt: skip
        await _hand_over(chat, worktree, task, actor)
    return task


async def _commit(worktree: WorktreeRow, message: str) -> Work:
    try:
        await save_work(worktree, message)
        return await measure(worktree)
    except (GitRefused, GitError, OSError) as error:
        raise Conflict(f"The work could not be committed just now: {error}", "CHECKOUT_BUSY") from error


async def _turns_of(chat: Standalone) -> int:
    return int(await scalar("SELECT sum(turn_count) FROM agent_runs WHERE session_id = $1", chat.id) or 0)


async def _hand_over(chat: Standalone, worktree: WorktreeRow, task: TaskRow, actor: Actor) -> None:
    """Everything that the chat led to belongs to the task from now on."""
    await adopt(chat.id, task.id)
    await give_to_task(worktree.id, task.id)
    await execute("UPDATE agent_runs SET task_id = $2 WHERE session_id = $1", chat.id, task.id)
    await execute(
        "UPDATE audit_logs SET task_id = $2 WHERE agent_run_id IN (SELECT id FROM agent_runs WHERE session_id = $1)",
        chat.id,
        task.id,
    )
    payload = {"text": "The changes were handed in as a task", "status": "active"}
    await record(
        chat.project_id, "status", actor=actor, subject=task.id, session_id=chat.id, payload=payload
    )  # fmt: skip


async def _chat(session_id: str) -> Standalone:
    await get_session(session_id)
    chat = await standalone.standalone(session_id)
    if chat is None:
        raise NotFound("This session belongs to a task.", "SESSION_NOT_FOUND")
    return chat


async def _active_worktree(chat: Standalone) -> WorktreeRow:
    worktree = await get_worktree(chat.worktree_id) if chat.worktree_id else None
    if worktree is None or worktree.status != "active":
        raise Conflict("This session has no worktree, so there is nothing to hand in.", "TASK_NO_DIFF")
    return worktree


async def _require_rest(chat: Standalone) -> None:
    if not chat.is_active:
        raise Conflict("This session is closed.", "SESSION_CLOSED")
    if chat.pending is not None or await is_live(chat.id):
        raise Conflict("The agent is at work in this session. Wait for it, or stop it.", "AGENT_ALREADY_RUNNING")


async def _release(chat: Standalone, actor: Actor) -> None:
    """An agent that failed in this session has nothing to wait for any more."""
    agent = await get_agent(chat.agent_id)
    if agent.current_session_id == chat.id:
        await free(agent, actor)


async def _tidy(worktree: WorktreeRow, actor: Actor) -> None:
    if worktree.status == "removed":
        return
    await take_down(worktree, actor=actor)
    repository = await inspect((await get_project(worktree.project_id)).root)
    tip = await branch_oid(repository, worktree.branch)
    base = await branch_oid(repository, worktree.base_branch)
    if tip is not None and base is not None and await is_ancestor(repository.root, tip, base):
        await delete_branch(repository, worktree.branch, tip, f"refs/agentpane/archive/{worktree.id}")
