"""A run as the other domains read it."""

from datetime import datetime

from msgspec import Struct

from app.agents.rows import AgentStatus, RunnerKind
from app.errors import InvalidId, NotFound
from app.ids import is_id
from app.postgres.reading import one, rows
from app.runners.base import ErrorType


class ToolSummary(Struct, frozen=True, rename="camel"):
    """How often a run called a tool, and for how long in all (milliseconds)."""

    tool: str
    count: int
    total_duration: int


class RunRow(Struct, frozen=True, kw_only=True):
    """One row of `agent_runs` with its `run_details`."""

    id: str
    agent_id: str
    task_id: str | None
    project_id: str
    session_id: str | None
    status: AgentStatus
    prompt: str
    result: str | None
    turn_count: int
    token_input_count: int | None
    token_output_count: int | None
    tool_calls: tuple[ToolSummary, ...]
    error: str | None
    error_type: str | None
    started_at: datetime
    completed_at: datetime | None
    #: Milliseconds.
    duration: int | None
    number: int
    cause: str
    native_session_id: str | None
    runner: RunnerKind
    model: str | None
    max_turns: int | None
    pid: int | None
    start_ticks: int | None
    boot_id: str | None
    activity: str | None
    stop_requested: ErrorType | None
    pause_requested: bool
    paused_at: datetime | None
    #: Milliseconds of its earlier rests.
    paused_ms: int
    cost_usd_micros: int | None
    work_saved: bool

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.completed_at is None

    @property
    def rests(self) -> bool:
        """Whether it is paused without a process, so that the end of a server does not touch it."""
        return self.status == "paused" and self.boot_id is None

    def rested_ms(self, at: datetime) -> int:
        """Milliseconds for which it was paused until `at`."""
        return self.paused_ms + (_ms(self.paused_at, at) if self.paused_at else 0)

    def worked_ms(self, at: datetime) -> int:
        """Milliseconds for which it was going on until `at`."""
        return max(0, _ms(self.started_at, at) - self.rested_ms(at))


def _ms(begin: datetime, end: datetime) -> int:
    return int((end - begin).total_seconds() * 1000)


SELECT_RUN = (
    "SELECT r.id, r.agent_id, r.task_id, r.project_id, r.session_id, r.status, r.prompt, r.result,"
    " coalesce(r.turn_count, 0) AS turn_count, r.token_input_count, r.token_output_count,"
    " coalesce(r.tool_calls, '[]') AS tool_calls, r.error, r.error_type, r.started_at, r.completed_at, r.duration,"
    " d.number, d.cause, d.native_session_id, d.runner, d.model, d.max_turns, d.pid, d.start_ticks, d.boot_id,"
    " d.activity, d.stop_requested, d.pause_requested, d.paused_at, d.paused_ms, d.cost_usd_micros, d.work_saved"
    " FROM agent_runs r JOIN run_details d ON d.run_id = r.id"
)


async def get_run(run_id: str) -> RunRow:
    """The run, or `INVALID_ID` / `RUN_NOT_FOUND`."""
    if not is_id(run_id):
        raise InvalidId("That is not the id of a run.")
    run = await one(RunRow, f"{SELECT_RUN} WHERE r.id = $1", run_id)
    if run is None:
        raise NotFound("There is no such run.", "RUN_NOT_FOUND")
    return run


async def runs_of_task(task_id: str) -> list[RunRow]:
    """The runs of a task, newest first."""
    return await rows(RunRow, f"{SELECT_RUN} WHERE r.task_id = $1 ORDER BY d.number DESC, r.started_at DESC", task_id)


async def runs_of_session(session_id: str) -> list[RunRow]:
    """The runs of a session, newest first."""
    return await rows(RunRow, f"{SELECT_RUN} WHERE r.session_id = $1 ORDER BY d.number DESC", session_id)


async def live_run_of_task(task_id: str) -> RunRow | None:
    """The run that is going on for a task."""
    return await one(RunRow, f"{SELECT_RUN} WHERE r.task_id = $1 AND r.completed_at IS NULL", task_id)


async def live_run_of_agent(agent_id: str) -> RunRow | None:
    """The run that an agent is at."""
    return await one(RunRow, f"{SELECT_RUN} WHERE r.agent_id = $1 AND r.completed_at IS NULL", agent_id)


async def live_runs(project_id: str | None = None) -> list[RunRow]:
    """Every run that has not ended, of one project or of all."""
    return await rows(
        RunRow,
        f"{SELECT_RUN} WHERE r.completed_at IS NULL AND ($1::text IS NULL OR r.project_id = $1) ORDER BY r.started_at",
        project_id,
    )


async def not_as_wanted(run_ids: list[str]) -> list[str]:
    """Those of these runs that shall rest and do not, stand still and shall not, or have an urgent message waiting."""

    class _Id(Struct):
        run_id: str

    found = await rows(
        _Id,
        "SELECT d.run_id FROM run_details d JOIN agent_runs r ON r.id = d.run_id WHERE r.completed_at IS NULL"
        " AND r.id = ANY($1) AND r.status IN ('running', 'paused')"
        " AND (d.pause_requested <> (r.status = 'paused') OR EXISTS (SELECT 1 FROM session_messages m"
        " WHERE m.session_id = r.session_id AND m.delivered_at IS NULL AND m.urgent_at IS NOT NULL))",
        run_ids,
    )
    return [row.run_id for row in found]


async def asked_to_stop(run_ids: list[str]) -> dict[str, ErrorType]:
    """Those of these runs whose end somebody, or a limit, asked for, with the reason."""

    class _Asked(Struct):
        run_id: str
        stop_requested: ErrorType

    found = await rows(
        _Asked,
        "SELECT run_id, stop_requested FROM run_details WHERE run_id = ANY($1) AND stop_requested IS NOT NULL",
        run_ids,
    )
    return {row.run_id: row.stop_requested for row in found}
