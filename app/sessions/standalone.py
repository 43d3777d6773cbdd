"""Sessions that belong to no task: a chat with a conversational agent, or the work of a background agent.

One waits for its agent and a slot while it has something pending; the engine serves those that wait longest first.
"""

from typing import Any

import msgspec
from msgspec import Struct

from app.agents.rows import AgentRow
from app.clock import now
from app.events.recording import Actor, record
from app.ids import create_id
from app.postgres.reading import one, rows
from app.sessions.tables import Session, StandaloneSession
from app.tasks.rows import Pending

#: Characters of a first message that become the title.
TITLE = 80


class Standalone(Struct, frozen=True, kw_only=True):
    """A session without a task, with what its next run is for."""

    id: str
    project_id: str
    agent_id: str
    title: str
    is_active: bool
    worktree_id: str | None
    pending: Pending | None
    keeps_running: bool
    files_changed: int | None
    lines_added: int | None
    lines_removed: int | None


_SELECT = """
SELECT s.id, s.project_id, s.agent_id, coalesce(s.title, '') AS title, s.is_active, o.worktree_id, o.pending,
  o.keeps_running, o.files_changed, o.lines_added, o.lines_removed
FROM standalone_sessions o JOIN sessions s ON s.id = o.session_id
"""


async def standalone(session_id: str | None) -> Standalone | None:
    """The session, if it belongs to no task."""
    return await one(Standalone, f"{_SELECT} WHERE s.id = $1", session_id)


async def waiting(project_id: str) -> list[Standalone]:
    """Those whose next run has not begun, the longest waiting first."""
    return await rows(
        Standalone,
        f"{_SELECT} WHERE s.project_id = $1 AND s.is_active AND o.pending IS NOT NULL ORDER BY o.pending_since, s.id",
        project_id,
    )


async def newest_of(agent_id: str) -> Standalone | None:
    """The session in which an agent worked last outside of any task."""
    return await one(
        Standalone, f"{_SELECT} WHERE s.agent_id = $1 ORDER BY s.created_at DESC, s.id DESC LIMIT 1", agent_id
    )


async def kept_running() -> list[Standalone]:
    """The sessions of background agents that nobody stopped."""
    return await rows(Standalone, f"{_SELECT} WHERE s.is_active AND o.keeps_running ORDER BY s.created_at")


async def open_standalone(agent: AgentRow, title: str, *, actor: Actor, **columns: Any) -> Standalone:
    """A new session of `agent` that belongs to no task. The caller holds the project's lock."""
    session_id = create_id()
    await Session.insert(
        Session(
            id=session_id,
            project_id=agent.project_id,
            agent_id=agent.id,
            title=title,
            url=f"/sessions/{session_id}",
        )
    )
    await StandaloneSession.insert(StandaloneSession(session_id=session_id, **columns))
    payload = {"title": title, "agent": agent.name}
    await record(agent.project_id, "session.created", actor=actor, subject=session_id, payload=payload)
    return await _require(session_id)


async def ask(session: Standalone, pending: Pending, *, actor: Actor) -> Standalone:
    """Let the session wait for a run that is for `pending`; one that waits already is asked for both.

    The caller holds the project's lock.
    """
    before = session.pending
    if before is not None:
        pending = Pending(before.cause, f"{before.prompt}\n\n{pending.prompt}")
    values: dict[Any, Any] = {StandaloneSession.pending: msgspec.json.encode(pending).decode()}
    if before is None:
        values[StandaloneSession.pending_since] = now()
    await write(session.id, values)
    await record(
        session.project_id, "session.queued", actor=actor, subject=session.id, payload={"cause": pending.cause}
    )
    return await _require(session.id)


async def settle(session: Standalone, *, actor: Actor) -> None:
    """The session waits for nothing any more, and is not started again with the server. In the project's lock."""
    values: dict[Any, Any] = {
        StandaloneSession.pending: None,
        StandaloneSession.pending_since: None,
        StandaloneSession.keeps_running: False,
    }
    await write(session.id, values)
    await record(session.project_id, "session.settled", actor=actor, subject=session.id)


async def write(session_id: str, values: dict[Any, Any]) -> None:
    """Write columns of `standalone_sessions`. The caller holds the project's lock."""
    await StandaloneSession.update(values).where(StandaloneSession.session_id == session_id)


def title_of(text: str) -> str:
    """The first line of a message, short enough for a title."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= TITLE else line[: TITLE - 1].rstrip() + "…"


async def _require(session_id: str) -> Standalone:
    found = await standalone(session_id)
    assert found is not None, "it was written in this transaction"
    return found
