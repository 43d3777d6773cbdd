"""The tables `sessions` and `session_messages`, as `docs/schema.md` describes them."""

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
    delivered_at = Timestamptz(null=True, default=None)
