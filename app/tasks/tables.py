"""The table `tasks`, as `docs/schema.md` describes it."""

from piccolo.columns import JSONB, ForeignKey, Integer, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from app.postgres.columns import EnumColumn, Id
from app.projects.tables import Project


class Task(Table, tablename="tasks"):
    """A card."""

    id = Id()
    project_id = ForeignKey(Project, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    #: The agent at work on it, or that worked on it last; null in the queue.
    agent_id = Text(null=True, default=None)
    session_id = Text(null=True, default=None)
    title = Text()
    description = Text(null=True, default=None)
    column = EnumColumn("task_column", default="backlog")
    #: 0..n-1 without gaps in each column of a project.
    position = Integer(default=0)
    branch = Text(null=True, default=None)
    worktree_id = Text(null=True, default=None)
    diff_summary = Text(null=True, default=None)
    files_changed = Integer(null=True, default=None)
    lines_added = Integer(null=True, default=None)
    lines_removed = Integer(null=True, default=None)
    approved_at = Timestamptz(null=True, default=None)
    approved_by = Text(null=True, default=None)
    rejection_reason = Text(null=True, default=None)
    rejection_count = Integer(null=True, default=0)
    started_at = Timestamptz(null=True, default=None)
    completed_at = Timestamptz(null=True, default=None)
    turn_count = Integer(null=True, default=0)
    labels = JSONB(null=True, default=[])
    #: `wantedAgentId`, `pending` (what the next run is for) and `endedBy` (why the last run stopped early),
    #: `noSandbox` (that the last run had none).
    metadata = JSONB(null=True, default={})
    created_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())
