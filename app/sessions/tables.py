"""The tables `sessions`, `session_messages` and `standalone_sessions`, as `docs/schema.md` describes them."""

from piccolo.columns import JSONB, Boolean, ForeignKey, Integer, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from app.agents.tables import Agent
from app.postgres.columns import Id
from app.projects.tables import Project
from app.tasks.tables import Task


class Session(Table, tablename="sessions"):
    """The record of a task's runs; its id is also its address."""

    id = Id()
    project_id = ForeignKey(Project, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    task_id = ForeignKey(Task, null=True, on_delete=OnDelete.set_null, on_update=OnUpdate.no_action)
    agent_id = ForeignKey(Agent, null=True, on_delete=OnDelete.set_null, on_update=OnUpdate.no_action)
    title = Text(null=True, default=None)
    #: `/sessions/{id}`
    url = Text(unique=True)
    is_active = Boolean(default=True)
    #: `[{"userId", "joinedAt", "lastSeen"}]`, times in milliseconds since 1970; an entry lives for seconds.
    active_users = JSONB(null=True, default=[])
    message_count = Integer(default=0)
    tool_call_count = Integer(default=0)
    created_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())
    closed_at = Timestamptz(null=True, default=None)


class SessionMessage(Table, tablename="session_messages"):
    """A person's message on its way to the agent: queued until an answer of the agent has ended, then delivered."""

    id = Id()
    session_id = ForeignKey(Session, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    author = Text()
    text = Text()
    created_at = Timestamptz(default=TimestamptzNow())
    #: When somebody wanted it told at once: it goes before the others, and the agent's current turn is cut off for it.
    urgent_at = Timestamptz(null=True, default=None)
    delivered_at = Timestamptz(null=True, default=None)


class StandaloneSession(Table, tablename="standalone_sessions"):
    """What a session has that belongs to no task: a chat with an agent, or a background agent's work."""

    session_id = ForeignKey(
        Session, primary_key=True, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action
    )
    worktree_id = Text(null=True, default=None)
    #: `{"cause", "prompt"}`: what the next run is for. Set means that the session waits for its agent and a slot.
    pending = JSONB(null=True, default=None)
    pending_since = Timestamptz(null=True, default=None)
    #: A background agent that was started and not stopped: it is started again with the server.
    keeps_running = Boolean(default=False)
    #: The work as measured when the last run ended; null before that.
    files_changed = Integer(null=True, default=None)
    lines_added = Integer(null=True, default=None)
    lines_removed = Integer(null=True, default=None)
