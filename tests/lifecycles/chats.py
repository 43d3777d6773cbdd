"""What somebody asks of the agents that work outside of the board, as `asking` has it for the tasks."""

from app.sessions.standalone import Standalone
from tests.lifecycles.picking import pick
from tests.lifecycles.world import Command, Sight

#: Open chats of one life.
MOST_CHATS = 3


def open_chat(sight: Sight, which: int, how: int) -> Command | None:
    """Begin a chat."""
    agent = _agent(sight, which, "conversational")
    if agent is None or len(sight.standalone) >= MOST_CHATS:
        return None
    return "open_chat", {"agent_id": agent, "text": f"Hello {how}"}


def write_in_chat(sight: Sight, which: int, how: int) -> Command | None:
    """Write to the agent of a chat, or of background work."""
    session = pick(sight.standalone, which)
    return ("send", {"session_id": session.id, "text": f"Word {how}"}) if session else None


def hand_in(sight: Sight, which: int, how: int) -> Command | None:
    """Make a task of what a chat has led to."""
    ready = [session for session in sight.standalone if _has_work(session) or which % 8 == 7]
    session = pick(ready, which)
    return ("hand_in", {"session_id": session.id, "title": f"From a chat {how}"}) if session else None


def close_chat(sight: Sight, which: int, how: int) -> Command | None:
    """Close a chat."""
    session = pick(sight.standalone, which)
    return ("close", {"session_id": session.id}) if session and how % 2 else None


def start_background(sight: Sight, which: int, how: int) -> Command | None:
    """Put a background agent to work."""
    agent = _agent(sight, which, "background")
    return ("start_background", {"agent_id": agent}) if agent else None


def give_up(sight: Sight, which: int, how: int) -> Command | None:
    """Let a background agent wait no more."""
    agent = _agent(sight, which, "background")
    return ("give_up", {"agent_id": agent}) if agent and how % 4 == 0 else None


def _agent(sight: Sight, which: int, kind: str) -> str | None:
    agent = pick([agent for agent in sight.agents if agent.type == kind], which)
    return agent.id if agent else None


def _has_work(session: Standalone) -> bool:
    return bool(session.files_changed) and session.pending is None
