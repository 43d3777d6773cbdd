"""Everything about a session that stands in other tables, in one row."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from app.agents.rows import AgentStatus, AgentType
from app.budgets.queries import run_gauges
from app.budgets.views import Gauge
from app.postgres.reading import one
from app.projects.asked import OPEN_QUESTIONS
from app.sessions.rows import SessionRow
from app.tasks.rows import Column


class Facts(Struct, frozen=True, kw_only=True):
    """Task, worktree, agent and last run of a session."""

    task_id: str | None
    task_title: str | None
    column: Column | None
    rejection_count: int | None
    branch: str | None
    base_branch: str | None
    root: str | None
    files_changed: int | None
    lines_added: int | None
    lines_removed: int | None
    task_agent_id: str | None
    agent_id: str | None
    agent_name: str | None
    agent_status: AgentStatus | None
    agent_type: AgentType | None
    #: Whether the agent is at this session now, or stopped in it.
    is_here: bool
    is_standalone: bool
    #: Whether it waits for its agent and a slot.
    waits: bool
    run_id: str | None
    run_number: int | None
    run_status: str | None
    error_type: str | None
    turn_count: int | None
    max_turns: int | None
    token_input_count: int | None
    token_output_count: int | None
    run_started_at: datetime | None
    run_duration: int | None
    pause_requested: bool | None
    paused_at: datetime | None
    #: Where the oldest question is answered that waits for a person.
    asked_path: str | None
    #: What the last run has used of its budget.
    gauges: tuple[Gauge, ...] = ()


_SELECT = f"""
SELECT t.id AS task_id, t.title AS task_title, t."column", t.rejection_count, coalesce(t.branch, w.branch) AS branch,
  coalesce(t.files_changed, o.files_changed) AS files_changed, coalesce(t.lines_added, o.lines_added) AS lines_added,
  coalesce(t.lines_removed, o.lines_removed) AS lines_removed, t.agent_id AS task_agent_id, w.base_branch,
  w.path AS root, a.id AS agent_id, a.name AS agent_name, a.status AS agent_status, a.type AS agent_type,
  coalesce(a.current_session_id = s.id, false) AS is_here, o.session_id IS NOT NULL AS is_standalone,
  o.pending IS NOT NULL AS waits,
  r.id AS run_id, r.number AS run_number, r.status::text AS run_status, r.error_type, r.turn_count, r.max_turns,
  r.token_input_count, r.token_output_count, r.started_at AS run_started_at, r.duration AS run_duration,
  r.pause_requested, r.paused_at,
  (SELECT q.path FROM {OPEN_QUESTIONS} q WHERE q.session_id = s.id ORDER BY q.asked_at, q.id LIMIT 1) AS asked_path
FROM sessions s
LEFT JOIN tasks t ON t.id = s.task_id
LEFT JOIN standalone_sessions o ON o.session_id = s.id
LEFT JOIN worktrees w ON w.id = coalesce(t.worktree_id, o.worktree_id)
LEFT JOIN agents a ON a.id = s.agent_id
LEFT JOIN LATERAL (
  SELECT r.id, r.status, r.error_type, r.turn_count, r.token_input_count, r.token_output_count,
    r.started_at + d.paused_ms * interval '1 millisecond' AS started_at, r.duration,
    d.number, d.max_turns, d.pause_requested, d.paused_at FROM agent_runs r JOIN run_details d ON d.run_id = r.id
  WHERE r.session_id = s.id ORDER BY d.number DESC LIMIT 1
) r ON true
WHERE s.id = $1
"""  # noqa: S608


async def facts_of(session: SessionRow) -> Facts:
    """Task, worktree, agent and last run of a session."""
    facts = await one(Facts, _SELECT, session.id)
    assert facts is not None, "the session was read a moment ago and sessions are only deleted with their project"
    if facts.run_id is None or facts.agent_id is None:
        return facts
    gauges = await run_gauges(session.project_id, facts.agent_id, facts.task_id, facts.run_id)
    return replace(facts, gauges=gauges)
