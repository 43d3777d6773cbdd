"""The table `permission_requests`, as `docs/schema.md` describes it."""

from typing import Any

from piccolo.columns import JSONB, ForeignKey, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.columns.reference import LazyTableReference
from piccolo.table import Table

from app.agents.tables import Agent
from app.postgres.columns import EnumColumn, Id
from app.projects.tables import Project
from app.tasks.tables import Task


class PermissionRequest(Table, tablename="permission_requests"):
    """One call of an agent for which a person is asked."""

    id = Id()
    project_id = ForeignKey(Project, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    task_id = ForeignKey(Task, null=True, on_delete=OnDelete.set_null, on_update=OnUpdate.no_action, index=True)
    agent_id = ForeignKey(Agent, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    run_id: Any = ForeignKey(
        LazyTableReference("AgentRun", module_path="app.runs.tables"),
        null=False,
        on_delete=OnDelete.cascade,
        on_update=OnUpdate.no_action,
        index=True,
    )
    session_id = Text(index=True)
    #: The call as the session's events name it, and its row of the audit log.
    call_id = Text()
    audit_id = Text(null=True, default=None, index=True)
    tool = Text()
    #: Without secrets.
    input = JSONB()
    #: Tool and main argument, for lists.
    line = Text()
    #: Of tool and input as they came: by it a call is known that is made again after a restart.
    digest = Text()
    #: The rule that asks.
    rule = Text()
    why = Text()
    status = EnumColumn("permission_status", default="open", index=True)
    asked_at = Timestamptz(default=TimestamptzNow())
    #: Since when a program waits for the answer; null while none does, as between two starts of the server.
    waits_since = Timestamptz(null=True, default=None)
    answered_at = Timestamptz(null=True, default=None)
    answered_by = Text(null=True, default=None)
    #: What the person said with the answer, or why the question was taken back.
    note = Text(null=True, default=None)
    #: When the program was told the answer; it counts once.
    taken_at = Timestamptz(null=True, default=None)
    #: Of a call that nobody was asked for: the request whose answer allowed it for the whole task.
    covered_by = Text(null=True, default=None)
