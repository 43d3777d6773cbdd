"""The tables `audit_logs` and `audit_chain`, as `docs/schema.md` describes them."""

from typing import Any

from piccolo.columns import JSONB, BigInt, BigSerial, ForeignKey, Integer, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.columns.reference import LazyTableReference
from piccolo.constraints import Unique
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


class ChainEntry(Table, tablename="audit_chain"):
    """One entry of a project's chain. It holds ids and text and no key to what can be deleted; only the project's
    deletion takes its chain along."""

    audit_chain_number = Unique(["project_id", "number"])

    id = BigSerial(primary_key=True)
    project_id = ForeignKey(Project, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    #: 1, 2, … per project, without gaps.
    number = BigInt()
    #: begin, tool_call, tool_result, tool_refused, question, answer, decision, merge, undo, retention, warning.
    kind = Text(index=True)
    #: The id of what it is about: an audit row, a question, a task, a merge.
    subject_id = Text(index=True)
    actor_kind = Text()
    actor = Text()
    at = Timestamptz(default=None)
    #: A JSON object as the very text that was hashed.
    content = Text()
    #: SHA-256 in small hexadecimal figures; of the first entry 64 zeros.
    previous_hash = Text()
    #: What `app.audit.offline_verify.entry_hash` makes of all the others.
    hash = Text()
