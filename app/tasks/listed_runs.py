"""The runs of a task as its page lists them."""

from datetime import datetime

from msgspec import Struct

from app.agents.rows import AgentStatus
from app.postgres.reading import rows
from app.projects.asked import OPEN_QUESTIONS
from app.tasks.views import RunView
from app.web.hidden import name_hidden, without_ansi
from app.web.markdown import to_html


class Run(Struct, frozen=True, kw_only=True):
    """One run with its agent's name, and how many tools it called."""

    id: str
    number: int
    cause: str
    status: AgentStatus
    agent: str
    runner: str
    model: str | None
    session_id: str | None
    turn_count: int
    max_turns: int | None
    tools: int
    token_input_count: int | None
    token_output_count: int | None
    started_at: datetime
    duration: int | None
    error: str | None
    error_type: str | None
    prompt: str
    result: str | None
    pause_requested: bool
    asks: bool


async def stored_runs(task_id: str) -> list[Run]:
    """The runs of a task, newest first."""
    return await rows(
        Run,
        "SELECT r.id, d.number, d.cause, r.status, a.name AS agent, d.runner, d.model, r.session_id,"  # noqa: S608
        " coalesce(r.turn_count, 0) AS turn_count, d.max_turns, r.token_input_count, r.token_output_count,"
        " (SELECT count(*)::int FROM audit_logs l WHERE l.agent_run_id = r.id) AS tools,"
        " r.started_at, r.duration, r.error, r.error_type, r.prompt, r.result, d.pause_requested,"
        f" EXISTS (SELECT 1 FROM {OPEN_QUESTIONS} q WHERE q.run_id = r.id) AS asks"
        " FROM agent_runs r JOIN run_details d ON d.run_id = r.id JOIN agents a ON a.id = r.agent_id"
        " WHERE r.task_id = $1 ORDER BY d.number DESC",
        task_id,
    )


def run_view(run: Run) -> RunView:
    """One run as the page shows it."""
    return RunView(
        id=run.id,
        number=run.number,
        cause=run.cause,
        status=run.status,
        asks=run.asks,
        agent=run.agent,
        runner=run.runner,
        model=run.model or "",
        session_id=run.session_id,
        turns=run.turn_count,
        max_turns=run.max_turns,
        tools=run.tools,
        tokens_in=run.token_input_count,
        tokens_out=run.token_output_count,
        started_at=run.started_at,
        duration_ms=run.duration,
        error=name_hidden(without_ansi(run.error or "")),
        error_type=run.error_type or "",
        prompt=name_hidden(run.prompt),
        result_html=to_html(run.result or ""),
    )
