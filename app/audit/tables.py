"""The table `audit_logs`, as `docs/schema.md` describes it."""

from typing import Any

from piccolo.columns import JSONB, ForeignKey, Integer, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.columns.reference import LazyTableReference
from piccolo.table import Table

from app.agents.tables import Agent
from app.postgres.columns import EnumColumn, Id
from app.projects.tables import Project
from app.tasks.tables import Task


class AuditLog(Table, tablename="audit_logs"):
    """One tool call of an agent."""

    id = Id()
    agent_id = ForeignKey(Agent, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    agent_run_id: Any = ForeignKey(
        LazyTableReference("AgentRun", module_path="app.runs.tables"),
        null=True,
        on_delete=OnDelete.cascade,
        on_update=OnUpdate.no_action,
    )
    task_id = ForeignKey(Task, null=True, on_delete=OnDelete.set_null, on_update=OnUpdate.no_action)
    project_id = ForeignKey(Project, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    tool = Text()
    status = EnumColumn("tool_status", default="pending")
    input = JSONB()
    output = JSONB(null=True, default=None)
    error = Text(null=True, default=None)
    #: Milliseconds.
    duration = Integer(null=True, default=None)
    turn_number = Integer(default=0)
    timestamp = Timestamptz(default=TimestamptzNow())
