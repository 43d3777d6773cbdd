"""The table `agents`, as `docs/schema.md` describes it."""

from piccolo.columns import JSONB, ForeignKey, Integer, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from app.postgres.columns import EnumColumn, Id
from app.projects.tables import DEFAULT_MODEL, DEFAULT_TOOLS, Project

DEFAULT_AGENT_CONFIG = {"allowedTools": DEFAULT_TOOLS, "maxTurns": 50, "model": DEFAULT_MODEL}


class Agent(Table, tablename="agents"):
    """A configured worker of a project."""

    id = Id()
    project_id = ForeignKey(Project, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    name = Text()
    type = EnumColumn("agent_type", default="task")
    status = EnumColumn("agent_status", default="idle")
    #: Keys: allowedTools, maxTurns, model, systemPrompt, temperature, and beyond the schema document runner, command.
    config = JSONB(default=DEFAULT_AGENT_CONFIG)
    current_task_id = Text(null=True, default=None)
    current_session_id = Text(null=True, default=None)
    current_worktree_id = Text(null=True, default=None)
    total_tasks = Integer(null=True, default=0)
    completed_tasks = Integer(null=True, default=0)
    failed_tasks = Integer(null=True, default=0)
    last_error = Text(null=True, default=None)
    last_error_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())
