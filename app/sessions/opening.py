"""Open the session of a task, or open it again; close it when the task is done."""

from msgspec import Struct

from app.clock import now
from app.errors import Conflict
from app.events.recording import SYSTEM, Actor
from app.ids import create_id
from app.postgres.reading import one, scalar
from app.projects.locking import locked
from app.sessions import states
from app.sessions.rows import SessionRow, get_session
from app.sessions.tables import Session, StandaloneSession
from app.tasks.rows import TaskRow


async def session_for(task: TaskRow, agent_id: str) -> str:
    """The id of the task's session, open and led by this agent. The caller holds the project's lock."""
    if task.session_id is not None:
        if not (await get_session(task.session_id)).is_active:
            await states.change(task.session_id, task.project_id, "reopen", actor=SYSTEM)
        await Session.update({Session.agent_id: agent_id}).where(Session.id == task.session_id)
        return task.session_id
    session_id = create_id()
    await Session.insert(
        Session(
            id=session_id,
            project_id=task.project_id,
            task_id=task.id,
            agent_id=agent_id,
            title=task.title,
            url=f"/sessions/{session_id}",
        )
    )
    return session_id


async def adopt(session_id: str, task_id: str) -> None:
    """From now on the session is the record of this task. The caller holds the project's lock."""
    await Session.update({Session.task_id: task_id, Session.updated_at: now()}).where(Session.id == session_id)
    await StandaloneSession.delete().where(StandaloneSession.session_id == session_id)


async def close_in_lock(session_id: str, project_id: str, *, actor: Actor) -> None:
    """Close a session if it is open, and say so in it. The caller holds the project's lock."""
    if (await get_session(session_id)).is_active:
        await states.change(session_id, project_id, "close", actor=actor)


async def close(session_id: str, actor: Actor) -> SessionRow:
    """Close a session by hand. 409 while an agent is at work in it, `SESSION_CLOSED` when it is closed already."""
    session = await get_session(session_id)
    async with locked(session.project_id):
        session = await get_session(session_id)
        if not session.is_active:
            raise Conflict("This session is closed already.", "SESSION_CLOSED")
        if await is_live(session_id):
            raise Conflict("An agent is at work in this session. Stop it first.", "AGENT_ALREADY_RUNNING")
        await close_in_lock(session_id, session.project_id, actor=actor)
    return await get_session(session_id)


async def is_live(session_id: str) -> bool:
    """Whether an agent is at work in the session."""
    return bool(
        await scalar(
            "SELECT 1 FROM agents WHERE current_session_id = $1 AND status IN ('starting', 'running', 'paused')",
            session_id,
        )
    )


class LiveRun(Struct, frozen=True):
    """As much of a run that is going on as its session needs to know."""

    id: str
    runner: str
    pause_requested: bool


async def live_run(session_id: str) -> LiveRun | None:
    """The run that is going on in the session."""
    return await one(
        LiveRun,
        "SELECT r.id, d.runner, d.pause_requested FROM agent_runs r JOIN run_details d ON d.run_id = r.id"
        " WHERE r.session_id = $1 AND r.completed_at IS NULL",
        session_id,
    )
