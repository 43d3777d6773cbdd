"""Background agents: started by a person, at work until they are stopped, and started again with the server."""

from app.agents.freeing import free
from app.agents.rows import LIVE, AgentRow, get_agent
from app.errors import Conflict
from app.events.recording import SYSTEM, Actor
from app.projects.locking import locked
from app.sessions import standalone
from app.sessions.opening import close_in_lock
from app.sessions.standalone import Standalone
from app.tasks.rows import Pending
from app.tasks.starting import require_usable_repository
from app.worktrees.rows import get_worktree


async def start_background(agent_id: str, actor: Actor) -> Standalone:
    """Let a background agent wait for a slot, in a new session and in the worktree it had.

    409 `AGENT_ALREADY_RUNNING` while it works or waits.
    """
    agent = await get_agent(agent_id)
    await require_usable_repository(agent.project_id)
    async with locked(agent.project_id):
        agent = await get_agent(agent_id)
        before = await standalone.newest_of(agent.id)
        if agent.status in LIVE or (before is not None and before.pending is not None):
            raise Conflict(f"{agent.name} is started already.", "AGENT_ALREADY_RUNNING")
        await free(agent, actor)
        if before is not None:
            await close_in_lock(before.id, before.project_id, actor=actor)
        session = await standalone.open_standalone(
            agent, agent.name, actor=actor, keeps_running=True, worktree_id=await _usable_worktree(before)
        )
        return await standalone.ask(session, Pending("background", agent.config.prompt or ""), actor=actor)


async def give_up_waiting(agent: AgentRow, actor: Actor) -> bool:
    """Take an agent out of the queue in which it waits for a slot; whether it waited."""
    async with locked(agent.project_id):
        waiting = [each for each in await standalone.waiting(agent.project_id) if each.agent_id == agent.id]
        for session in waiting:
            await standalone.settle(session, actor=actor)
    return bool(waiting)


async def restart_background() -> None:
    """After a start of the server: what it cut off and nobody stopped goes on in its session."""
    for session in await standalone.kept_running():
        async with locked(session.project_id):
            agent = await get_agent(session.agent_id)
            if agent.status in LIVE or session.pending is not None:
                continue
            await free(agent, SYSTEM)
            await standalone.ask(session, Pending("restart", agent.config.prompt or ""), actor=SYSTEM)


async def _usable_worktree(session: Standalone | None) -> str | None:
    if session is None or session.worktree_id is None:
        return None
    worktree = await get_worktree(session.worktree_id)
    return worktree.id if worktree.status not in ("removed", "removing") else None
