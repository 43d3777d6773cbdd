"""The tables `agent_runs` and `run_details`, as `docs/schema.md` describes them."""

from piccolo.columns import JSONB, BigInt, Boolean, ForeignKey, Integer, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from app.agents.tables import Agent
from app.postgres.columns import EnumColumn, Id
from app.projects.tables import Project
from app.tasks.tables import Task


class AgentRun(Table, tablename="agent_runs"):
    """One execution of an agent for one prompt."""

    id = Id()
    agent_id = ForeignKey(Agent, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    task_id = ForeignKey(Task, null=True, on_delete=OnDelete.set_null, on_update=OnUpdate.no_action)
    project_id = ForeignKey(Project, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    session_id = Text(null=True, default=None)
    status = EnumColumn("agent_status", default="starting")
    prompt = Text()
    result = Text(null=True, default=None)
    turn_count = Integer(null=True, default=0)
    #: NULL where the program does not tell; cached tokens count as input.
    token_input_count = Integer(null=True, default=0)
    token_output_count = Integer(null=True, default=0)
    #: `[{"tool", "count", "totalDuration"}]`, durations in milliseconds.
    tool_calls = JSONB(null=True, default=[])
    error = Text(null=True, default=None)
    #: One of `app.runners.base.ErrorType`; null on success.
    error_type = Text(null=True, default=None)
    started_at = Timestamptz(default=TimestamptzNow())
    completed_at = Timestamptz(null=True, default=None)
    #: Milliseconds.
    duration = Integer(null=True, default=None)


class RunDetail(Table, tablename="run_details"):
    """What a run needs beyond the schema document: its process, its conversation, what it does just now."""

    run_id = ForeignKey(
        AgentRun, primary_key=True, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action
    )
    #: 1, 2, … per task.
    number = Integer(default=1)
    #: What the run is for, as in `app.tasks.rows.Pending`.
    cause = Text(default="task")
    #: The program's own conversation id; the next run of the task resumes it.
    native_session_id = Text(null=True, default=None)
    runner = Text(default="claude")
    model = Text(null=True, default=None)
    max_turns = Integer(null=True, default=None)
    pid = Integer(null=True, default=None)
    #: Field 22 of /proc/PID/stat; tells the process from a later one of the same number.
    start_ticks = BigInt(null=True, default=None)
    boot_id = Text(null=True, default=None)
    #: The tool and argument at work now, one line.
    activity = Text(null=True, default=None)
    #: Somebody asked the process that owns the run to end it, for this reason.
    stop_requested = Text(null=True, default=None)
    #: Somebody asked that the run rests at the end of its current turn, or it rests already.
    pause_requested = Boolean(default=False)
    #: Since when it rests; null while it does not.
    paused_at = Timestamptz(null=True, default=None)
    #: Milliseconds of its earlier rests.
    paused_ms = BigInt(default=0)
    #: A person saw that the run was interrupted and left it as it is.
    kept_at = Timestamptz(null=True, default=None)
    cost_usd_micros = BigInt(null=True, default=None)
    work_saved = Boolean(default=False)
    #: What held for it when its program started, with the source of each value; null before that.
    configuration = JSONB(null=True, default=None)
    #: The values of the variables in its prompt's template.
    prompt_values = JSONB(null=False, default={})
