"""Send a message: queued for the agent's next turn, which is its next answer or else a follow-up run."""

from collections.abc import Collection
from typing import Any

import msgspec

from app.agents import states
from app.agents.freeing import free
from app.agents.rows import AgentRow, get_agent
from app.clock import now
from app.errors import Conflict
from app.events.recording import Actor, record
from app.ids import create_id
from app.postgres.reading import execute
from app.projects.locking import locked
from app.sessions import standalone
from app.sessions.opening import is_live
from app.sessions.rows import QueuedMessage, SessionRow, get_session, queued_messages
from app.sessions.standalone import Standalone
from app.sessions.tables import SessionMessage
from app.tasks.moving import write
from app.tasks.rows import Pending, TaskRow, get_task


async def send(session_id: str, text: str, actor: Actor) -> SessionRow:
    """Queue `text` for the agent; where no run is live, a follow-up run is queued with it."""
    session = await get_session(session_id)
    async with locked(session.project_id):
        session = await get_session(session_id)
        await _listener(session)
        await queue_in_lock(session, text, actor)
        await send_queued_in_lock(session, actor)
    return await get_session(session_id)


async def send_queued_in_lock(session: SessionRow, actor: Actor) -> None:
    """Begin a follow-up run with the messages that wait, unless a run is live. The caller holds the project's lock.

    409 when nobody would read them.
    """
    listener = await _listener(session)
    if isinstance(listener, Standalone):
        await _ask_soon(listener, actor)
    elif listener.agent_id is not None and not await is_live(session.id):
        await follow_up_with_queue(listener, await get_agent(listener.agent_id), actor=actor)


async def next_queued(session_id: str, handed: Collection[str]) -> QueuedMessage | None:
    """The oldest queued message but those already `handed` to the program; None when there is none.

    It stays in the queue until the record has it, so that a crash in between loses nothing: see `delivered_in_lock`.
    """
    return next((message for message in await queued_messages(session_id) if message.id not in handed), None)


async def delivered_in_lock(message_id: str) -> None:
    """Write that the program was told a message, in the transaction in which the record gets it."""
    await SessionMessage.update({SessionMessage.delivered_at: now()}).where(SessionMessage.id == message_id)


async def follow_up_with_queue(task: TaskRow, agent: AgentRow, *, actor: Actor, **changes: Any) -> TaskRow | None:
    """Queue a follow-up run for the messages that wait in the task's session; None when none do.

    `changes` are columns to write with it. The caller holds the project's lock.
    """
    if task.session_id is None or not await queued_messages(task.session_id):
        return None
    pending = Pending("message", await deliver_all_in_lock(task.session_id))
    return await follow_up(task, agent, pending, actor=actor, **changes)


async def deliver_all_in_lock(session_id: str) -> str:
    """Mark every queued message as delivered, and give their texts as one. The caller holds the project's lock."""
    session = await get_session(session_id)
    waiting = await queued_messages(session_id)
    for message in waiting:
        await SessionMessage.update({SessionMessage.delivered_at: now()}).where(SessionMessage.id == message.id)
        await _say(session, message.text, Actor("person", message.author))
    return "\n\n".join(message.text for message in waiting)


async def follow_up(task: TaskRow, agent: AgentRow, pending: Pending, *, actor: Actor, **changes: Any) -> TaskRow:
    """Put a task without a live run back into the queue for its own agent. The caller holds the project's lock."""
    if agent.status in ("error", "completed") and agent.current_session_id in (task.session_id, None):
        await states.change(
            task.project_id, agent.id, "clear", actor=actor,
            current_task_id=None, current_session_id=None, current_worktree_id=None,
        )  # fmt: skip
    metadata = msgspec.structs.replace(task.metadata, wanted_agent_id=agent.id, pending=pending, ended_by=None)
    changes |= {"agent_id": None, "metadata": msgspec.json.encode(metadata).decode()}
    return await write(task, "task.queued", actor=actor, **changes)


async def ask_with_queue(session: Standalone, *, actor: Actor) -> None:
    """Let a session without a task wait for a run with the messages that are queued in it; nothing where none are.

    The caller holds the project's lock.
    """
    if text := await deliver_all_in_lock(session.id):
        await standalone.ask(session, Pending("message", text), actor=actor)


async def _ask_soon(chat: Standalone, actor: Actor) -> None:
    """A live run takes the message at its next turn; else it is what the next run is for, and an error is over."""
    if await is_live(chat.id):
        return
    agent = await get_agent(chat.agent_id)
    if agent.current_session_id == chat.id:
        await free(agent, actor)
    await ask_with_queue(chat, actor=actor)


async def _listener(session: SessionRow) -> Standalone | TaskRow:
    """Whose agent takes messages of the session; 409 when none does."""
    chat = await standalone.standalone(session.id)
    if chat is None:
        return await _open_task(session)
    if not chat.is_active:
        raise Conflict("This session is closed. Start a new one on the agent's page.", "SESSION_CLOSED")
    return chat


async def _open_task(session: SessionRow) -> TaskRow:
    if session.task_id is None or not session.is_active:
        raise Conflict("This session is closed; its task takes no more messages.", "SESSION_CLOSED")
    task = await get_task(session.task_id)
    if task.column == "waiting_approval":
        raise Conflict(
            "This work waits for a decision. Request changes on its review page, and the agent goes on with them.",
            "TASK_INVALID_TRANSITION",
            review=f"/tasks/{task.id}/review",
        )
    if task.column != "in_progress":
        raise Conflict("No agent works on this task, so nobody would read the message.", "SESSION_CLOSED")
    return task


async def queue_in_lock(session: SessionRow, text: str, actor: Actor) -> None:
    """Let `text` wait for the agent's next turn. The caller holds the project's lock."""
    message_id = create_id()
    await SessionMessage.insert(SessionMessage(id=message_id, session_id=session.id, author=actor.name, text=text))
    await tell_queue(session, actor, {"queued": message_id})


async def _say(session: SessionRow, text: str, actor: Actor) -> None:
    await record(
        session.project_id, "message", actor=actor, subject=session.task_id, session_id=session.id,
        payload={"message": create_id(), "text": text, "role": "user"},
    )  # fmt: skip
    await execute("UPDATE sessions SET message_count = message_count + 1 WHERE id = $1", session.id)


async def tell_queue(session: SessionRow, actor: Actor, payload: dict[str, object]) -> None:
    """Let open pages know that the queue changed. The caller holds the project's lock."""
    await record(
        session.project_id, "status", actor=actor, subject=session.id, session_id=session.id,
        payload={**payload, "quiet": True},
    )  # fmt: skip
