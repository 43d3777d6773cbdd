"""The table `events`: append-only, numbered, read by board and session pages."""

from piccolo.columns import JSONB, BigSerial, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table


class Event(Table, tablename="events"):
    """One thing that happened. Within a project, numbers become visible in their order."""

    number = BigSerial(primary_key=True)
    project_id = Text()
    session_id = Text(null=True, default=None)
    #: In a session: message, tool_call, tool_result, status, permission, presence, decision, error.
    #: Else `<table>.<past tense>`: `task.moved`.
    kind = Text()
    #: The id of what it happened to: a task, an agent, a tool call.
    subject = Text(null=True, default=None)
    #: `person`, `agent` or `system`.
    actor_kind = Text(default="system")
    actor = Text(default="AgentPane")
    payload = JSONB(default={})
    at = Timestamptz(default=TimestamptzNow())
