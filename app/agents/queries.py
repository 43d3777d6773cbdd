"""What the pages of agents show. An agent's task and runs are read from their tables, each for all rows at once."""

import shlex
from datetime import datetime

from msgspec import Struct

from app.agents.asked import asked_by
from app.agents.programs import reach_of
from app.agents.rows import AgentConfig, AgentStatus, AgentType, get_agent, has_sessions
from app.agents.views import (
    AgentDefaults,
    AgentList,
    AgentNumbers,
    AgentRow,
    AgentRun,
    AgentView,
    ChatLink,
    Ending,
    Offer,
    Program,
)
from app.configuration.views import ConfigurationView
from app.postgres.reading import one, rows, scalar
from app.projects.asked import OPEN_QUESTIONS
from app.projects.rows import ProjectRow
from app.web.forms import Entered

#: Runs that the page of an agent lists.
LISTED_RUNS = 20


class _Row(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    type: AgentType
    status: AgentStatus
    config: AgentConfig
    task_id: str | None
    task_title: str | None
    session_id: str | None
    session_title: str | None
    total_tasks: int
    completed_tasks: int
    failed_tasks: int
    last_error: str | None
    asks: bool


class _Now(Struct, frozen=True, kw_only=True):
    task_id: str | None
    task_title: str | None
    session_title: str | None
    activity: str | None
    turn: int | None
    max_turns: int | None
    running_since: datetime | None
    pause_requested: bool
    paused_at: datetime | None


async def agents_page(project: ProjectRow, offers: tuple[Offer, ...], form: Entered | None = None) -> AgentList:
    """The agents of a project, oldest first; `form` is the form of a new one that came back with errors."""
    found = await rows(
        _Row,
        "SELECT a.id, a.name, a.type, a.status, a.config, t.id AS task_id, t.title AS task_title,"  # noqa: S608
        " s.id AS session_id, s.title AS session_title,"
        " coalesce(a.total_tasks, 0) AS total_tasks, coalesce(a.completed_tasks, 0) AS completed_tasks,"
        " coalesce(a.failed_tasks, 0) AS failed_tasks, a.last_error,"
        f" EXISTS (SELECT 1 FROM {OPEN_QUESTIONS} q WHERE q.agent_id = a.id) AS asks"
        " FROM agents a LEFT JOIN tasks t ON t.id = a.current_task_id"
        " LEFT JOIN sessions s ON s.id = a.current_session_id WHERE a.project_id = $1 ORDER BY a.created_at, a.id",
        project.id,
    )
    queued = await scalar(
        "SELECT count(*) FROM tasks WHERE project_id = $1 AND \"column\" = 'in_progress' AND agent_id IS NULL",
        project.id,
    )
    return AgentList(
        project_id=project.id,
        agents=tuple(_row(row) for row in found),
        max_concurrent_agents=project.max_concurrent_agents,
        defaults=defaults_of(project),
        queued=queued,
        form=form or Entered(),
        offers=offers,
    )


def defaults_of(project: ProjectRow) -> AgentDefaults:
    """What an agent of this project gets where its form says nothing."""
    config = project.config
    return AgentDefaults(
        max_turns=config.max_turns,
        timeout_minutes=config.timeout_minutes,
        allowed_tools=config.allowed_tools,
        model=config.model,
        permissions=config.permissions,
    )


async def agent_page(
    agent_id: str,
    program: Program,
    no_sandbox: str,
    offers: tuple[Offer, ...],
    configuration: ConfigurationView | None = None,
    form: Entered | None = None,
    chat_form: Entered | None = None,
) -> AgentView:
    """One agent as it is now; `form` and `chat_form` are forms that came back. `AGENT_NOT_FOUND`.

    `no_sandbox` is the sentence that says why its next run has none, `configuration` what holds for that run.
    """
    agent = await get_agent(agent_id)
    now = await _now(agent.id)
    tool, _, argument = (now.activity or "").partition(" ") if now else ("", "", "")
    asked = await asked_by(agent.id)
    if asked:
        tool, _, argument = asked.line.partition(" ")
    config = agent.config
    return AgentView(
        id=agent.id,
        project_id=agent.project_id,
        name=agent.name,
        type=agent.type,
        status=agent.status,
        runner=config.runner,
        command=shlex.join(config.command),
        model=config.model if config.runner == "acp" else config.chosen_model,
        max_turns=config.max_turns,
        timeout_minutes=config.timeout_minutes,
        allowed_tools=config.allowed_tools or (),
        permissions=config.permissions,
        reach=reach_of(config),
        system_prompt=config.system_prompt or "",
        temperature=config.temperature,
        prompt=config.prompt or "",
        sandbox=config.sandbox,
        no_sandbox=no_sandbox,
        offers=offers,
        last_error=agent.last_error or "",
        last_error_at=agent.last_error_at,
        task_id=(now.task_id or "") if now else "",
        task_title=(now.task_title or "") if now else "",
        session_title=(now.session_title or "") if now else "",
        session_id=(agent.current_session_id or "") if now else "",
        tool=tool,
        argument=argument,
        asked_path=asked.path if asked else "",
        turn=(now.turn or 0) if now else 0,
        turn_limit=now.max_turns if now else None,
        running_since=now.running_since if now and not now.paused_at else None,
        paused_at=now.paused_at if now else None,
        pause_requested=bool(now and now.pause_requested),
        numbers=await _numbers(agent.id),
        runs=tuple(await _runs(agent.id)),
        chats=tuple(await _chats(agent.id)),
        chat_form=chat_form or Entered(),
        endings=tuple(await _endings(agent.id)),
        program=program,
        configuration=configuration,
        can_delete=not (agent.total_tasks or agent.current_task_id or await has_sessions(agent.id)),
        form=form or Entered(),
    )


def _row(row: _Row) -> AgentRow:
    return AgentRow(
        id=row.id,
        name=row.name,
        type=row.type,
        status=row.status,
        runner=row.config.runner,
        model=row.config.model,
        task_id=row.task_id or "",
        task_title=row.task_title or "",
        session_id=row.session_id or "",
        session_title=row.session_title or "",
        total_tasks=row.total_tasks,
        completed_tasks=row.completed_tasks,
        failed_tasks=row.failed_tasks,
        last_error=row.last_error or "",
        asks=row.asks,
    )


async def _now(agent_id: str) -> _Now | None:
    """The task or the session that the agent holds, and the run that is going on."""
    return await one(
        _Now,
        "SELECT t.id AS task_id, t.title AS task_title, s.title AS session_title, d.activity, r.turn_count AS turn,"
        " d.max_turns,"
        " r.started_at + d.paused_ms * interval '1 millisecond' AS running_since,"
        " coalesce(d.pause_requested, false) AS pause_requested, d.paused_at"
        " FROM agents a LEFT JOIN tasks t ON t.id = a.current_task_id"
        " JOIN sessions s ON s.id = a.current_session_id"
        " LEFT JOIN agent_runs r ON r.agent_id = a.id AND r.session_id = s.id AND r.completed_at IS NULL"
        " LEFT JOIN run_details d ON d.run_id = r.id WHERE a.id = $1",
        agent_id,
    )


async def _numbers(agent_id: str) -> AgentNumbers:
    found = await one(
        AgentNumbers,
        "SELECT count(r.id)::int AS runs, coalesce(a.total_tasks, 0) AS total_tasks,"
        " coalesce(a.completed_tasks, 0) AS completed_tasks, coalesce(a.failed_tasks, 0) AS failed_tasks,"
        " (percentile_disc(0.5) WITHIN GROUP (ORDER BY r.turn_count) FILTER (WHERE r.completed_at IS NOT NULL))"
        " AS median_turns,"
        " (percentile_disc(0.5) WITHIN GROUP (ORDER BY r.duration) FILTER (WHERE r.completed_at IS NOT NULL))"
        " AS median_duration,"
        " sum(r.token_input_count + r.token_output_count)::bigint AS tokens"
        " FROM agents a LEFT JOIN agent_runs r ON r.agent_id = a.id WHERE a.id = $1 GROUP BY a.id",
        agent_id,
    )
    return found or AgentNumbers()


async def _runs(agent_id: str) -> list[AgentRun]:
    return await rows(
        AgentRun,
        "SELECT r.id, r.status, coalesce(r.error_type, '') AS error_type, coalesce(r.task_id, '') AS task_id,"  # noqa: S608
        " coalesce(t.title, s.title, '') AS task_title, coalesce(r.session_id, '') AS session_id,"
        " coalesce(r.turn_count, 0) AS turn_count, r.token_input_count,"
        " r.token_output_count, r.duration, r.started_at,"
        f" EXISTS (SELECT 1 FROM {OPEN_QUESTIONS} q WHERE q.run_id = r.id) AS asks"
        " FROM agent_runs r LEFT JOIN tasks t ON t.id = r.task_id LEFT JOIN sessions s ON s.id = r.session_id"
        " WHERE r.agent_id = $1 ORDER BY r.started_at DESC, r.id DESC LIMIT $2",
        agent_id,
        LISTED_RUNS,
    )


async def _chats(agent_id: str) -> list[ChatLink]:
    return await rows(
        ChatLink,
        "SELECT s.id, coalesce(s.title, '') AS title, s.is_active, o.pending IS NOT NULL AS waits,"
        " a.current_session_id IS NOT DISTINCT FROM s.id AS is_here, s.message_count, s.updated_at"
        " FROM standalone_sessions o JOIN sessions s ON s.id = o.session_id JOIN agents a ON a.id = s.agent_id"
        " WHERE s.agent_id = $1 ORDER BY s.is_active DESC, s.updated_at DESC, s.id LIMIT $2",
        agent_id,
        LISTED_RUNS,
    )


async def _endings(agent_id: str) -> list[Ending]:
    return await rows(
        Ending,
        "SELECT coalesce(error_type, 'completed') AS reason, count(*)::int AS count FROM agent_runs"
        " WHERE agent_id = $1 AND completed_at IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1",
        agent_id,
    )
