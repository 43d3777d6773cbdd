"""What the session page shows: its head, a page of its record, and what stands at the side."""

from datetime import datetime

import msgspec
from msgspec import Struct

from app.accounts.people import Person
from app.agents.rows import LIVE, AgentStatus, AgentType
from app.postgres.reading import one, scalar
from app.sessions import record
from app.sessions.record import Show
from app.sessions.rows import SessionRow, queued_messages
from app.sessions.showing import drafts, views
from app.sessions.stream_views import (
    FilterView,
    QueuedView,
    SessionHead,
    SessionPage,
    SessionRun,
    SessionTask,
    StandaloneView,
    WatcherView,
)
from app.tasks.rows import Column
from app.tasks.stages import Stage, pause_word, stage_of
from app.tasks.views import Action, AgentLink, PageNotice, pause_action
from app.web.forms import Entered


class _Facts(Struct, frozen=True, kw_only=True):
    """Everything about a session that stands in other tables, in one row."""

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


_SELECT = """
SELECT t.id AS task_id, t.title AS task_title, t."column", t.rejection_count, coalesce(t.branch, w.branch) AS branch,
  coalesce(t.files_changed, o.files_changed) AS files_changed, coalesce(t.lines_added, o.lines_added) AS lines_added,
  coalesce(t.lines_removed, o.lines_removed) AS lines_removed, t.agent_id AS task_agent_id, w.base_branch,
  w.path AS root, a.id AS agent_id, a.name AS agent_name, a.status AS agent_status, a.type AS agent_type,
  coalesce(a.current_session_id = s.id, false) AS is_here, o.session_id IS NOT NULL AS is_standalone,
  o.pending IS NOT NULL AS waits,
  r.id AS run_id, r.number AS run_number, r.status::text AS run_status, r.error_type, r.turn_count, r.max_turns,
  r.token_input_count, r.token_output_count, r.started_at AS run_started_at, r.duration AS run_duration,
  r.pause_requested, r.paused_at
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
"""


async def session_page(
    session: SessionRow,
    person: Person,
    *,
    show: Show = "all",
    before: int | None = None,
    after: int | None = None,
    composer: Entered | None = None,
    hand_in: Entered | None = None,
    notices: tuple[PageNotice, ...] = (),
) -> SessionPage:
    """The page as it is now, with the newest events, or those before or after a number.

    `composer` and `hand_in` are forms that came back, `notices` say why.
    """
    facts = await facts_of(session)
    events = await record.shown(session.id, show, before, after)
    first, last = (events[0].number, events[-1].number) if events else (0, 0)
    newest = before is None and after is None
    page = await composer_of(session, facts)
    return msgspec.structs.replace(
        page,
        task=_task(facts),
        standalone=_standalone(session, facts, hand_in or Entered()),
        notices=notices,
        events=await views(events, facts.root or ""),
        drafts=await drafts(session.id, await record.open_pieces(session.id)) if newest else (),
        earlier=await record.count(session.id, show, 0, first) if events else 0,
        later=0 if newest else await record.count(session.id, show, last + 1, None),
        filters=await _filters(session, show),
        watching=watchers(session, person),
        composer=composer or Entered(),
    )


async def composer_of(session: SessionRow, facts: _Facts) -> SessionPage:
    """As much of the page as the composer shows: the queue, and whether a message can be sent."""
    return SessionPage(
        head=head_of(session, facts),
        closed=_closed(session, facts),
        queue=tuple(QueuedView(each.id, each.author, each.text) for each in await queued_messages(session.id)),
    )


async def facts_of(session: SessionRow) -> _Facts:
    """Task, worktree, agent and last run of a session."""
    facts = await one(_Facts, _SELECT, session.id)
    assert facts is not None, "the session was read a moment ago and sessions are only deleted with their project"
    return facts


def head_of(session: SessionRow, facts: _Facts) -> SessionHead:
    """The part that changes with every run."""
    stage = _stage(facts)
    agent = AgentLink(facts.agent_id, facts.agent_name or "", facts.agent_status or "idle") if facts.agent_id else None
    return SessionHead(
        id=session.id,
        title=facts.task_title or session.title or "Session",
        stage=stage,
        stage_word=_stage_word(stage, facts),
        agent=agent,
        run=_run(facts),
        branch=facts.branch or "",
        actions=_standalone_actions(session, facts) if facts.is_standalone else _actions(facts),
    )


def _stage(facts: _Facts) -> Stage:
    if facts.column is not None:
        return stage_of(facts.column, facts.agent_status if facts.task_agent_id else None)
    if facts.waits:
        return "queued"
    stages: dict[AgentStatus | None, Stage] = {
        "starting": "starting",
        "running": "running",
        "paused": "paused",
        "error": "error",
    }
    return stages.get(facts.agent_status, "idle") if facts.is_here else "idle"


def _stage_word(stage: Stage, facts: _Facts) -> str:
    if stage == "error" and facts.error_type:
        return f"Error: {facts.error_type}"
    return pause_word(stage, bool(facts.pause_requested))


def watchers(session: SessionRow, person: Person | None = None) -> tuple[WatcherView, ...]:
    """Who looks at the session now, the one who asks first."""
    me = person.id if person else ""
    present = sorted(session.active_users, key=lambda each: (each.user_id != me, each.joined_at))
    return tuple(WatcherView(each.name or "Somebody", each.user_id == me) for each in present)


def _run(facts: _Facts) -> SessionRun | None:
    if facts.run_id is None or facts.run_started_at is None:
        return None
    return SessionRun(
        id=facts.run_id,
        number=facts.run_number or 1,
        status=facts.run_status or "",
        turns=facts.turn_count,
        max_turns=facts.max_turns,
        tokens_in=facts.token_input_count,
        tokens_out=facts.token_output_count,
        started_at=facts.run_started_at,
        duration_ms=_duration(facts),
    )


def _duration(facts: _Facts) -> int | None:
    """How long a run took that has ended, or has worked that rests."""
    if facts.paused_at is None or facts.run_started_at is None:
        return facts.run_duration
    return int((facts.paused_at - facts.run_started_at).total_seconds() * 1000)


def _actions(facts: _Facts) -> tuple[Action, ...]:
    agent = f"/agents/{facts.agent_id}"
    task = f"/tasks/{facts.task_id}"
    if facts.column == "waiting_approval":
        return (Action(label="Review", path=f"{task}/review", icon="review", method="get", tone="primary"),)
    if facts.column != "in_progress" or facts.agent_id is None:
        return ()
    if facts.agent_status in LIVE and facts.is_here:
        return _live_actions(facts)
    if facts.agent_status == "error" and facts.is_here:
        submit = Action(label="Submit what is there", path=f"{task}/move", fields=(("column", "waiting_approval"),))
        return (Action(label="Retry", path=f"{agent}/retry", icon="retry", tone="primary"), submit)
    return ()


def _live_actions(facts: _Facts) -> tuple[Action, ...]:
    stop = Action(label="Stop", path=f"/agents/{facts.agent_id}/stop", icon="stop", tone="danger")
    return (pause_action(facts.agent_id or "", facts.agent_status or "", bool(facts.pause_requested)), stop)


def _standalone_actions(session: SessionRow, facts: _Facts) -> tuple[Action, ...]:
    agent = f"/agents/{facts.agent_id}"
    if facts.agent_status in LIVE and facts.is_here:
        return _live_actions(facts)
    if facts.waits and facts.agent_type == "background":
        return (Action(label="Stop", path=f"{agent}/stop", icon="stop", tone="danger"),)
    if facts.agent_status == "error" and facts.is_here:
        return (Action(label="Retry", path=f"{agent}/retry", icon="retry", tone="primary"),)
    if facts.files_changed and session.is_active and not facts.waits:
        here = f"/sessions/{session.id}#hand-in"
        return (Action(label="Hand in as a task", path=here, icon="review", method="get", tone="primary"),)
    return ()


def _standalone(session: SessionRow, facts: _Facts, form: Entered) -> StandaloneView | None:
    if not facts.is_standalone:
        return None
    rests = session.is_active and not facts.waits and not (facts.is_here and facts.agent_status in LIVE)
    return StandaloneView(
        kind=facts.agent_type or "conversational",
        branch=facts.branch or "",
        base_branch=facts.base_branch or "",
        files_changed=facts.files_changed,
        lines_added=facts.lines_added or 0,
        lines_removed=facts.lines_removed or 0,
        can_hand_in=rests and bool(facts.files_changed),
        can_close=session.is_active and not (facts.is_here and facts.agent_status in LIVE),
        form=form,
    )


def _task(facts: _Facts) -> SessionTask | None:
    if facts.task_id is None or facts.column is None:
        return None
    return SessionTask(
        id=facts.task_id,
        title=facts.task_title or "",
        column=facts.column,
        rejection_count=facts.rejection_count or 0,
        branch=facts.branch or "",
        base_branch=facts.base_branch or "",
        files_changed=facts.files_changed,
        lines_added=facts.lines_added or 0,
        lines_removed=facts.lines_removed or 0,
    )


def _closed(session: SessionRow, facts: _Facts) -> str:
    if not session.is_active or (facts.task_id is None and not facts.is_standalone):
        return "This session is closed. Its record stays."
    if facts.is_standalone:
        return ""
    if facts.column == "waiting_approval":
        return "This work waits for a decision: request changes on its review page, and the agent goes on with them."
    if facts.column != "in_progress":
        return "No agent works on this task, so nobody would read a message."
    return ""


async def _filters(session: SessionRow, show: Show) -> tuple[FilterView, ...]:
    errors = await scalar("SELECT count(*) FROM events WHERE session_id = $1 AND kind = 'error'", session.id)
    counts: dict[str, int | None] = {
        "all": None, "messages": session.message_count, "tools": session.tool_call_count, "errors": errors,
    }  # fmt: skip
    return tuple(
        FilterView(
            name=name.capitalize(),
            href=f"/sessions/{session.id}" + (f"?show={name}" if name != "all" else ""),
            count=count,
            current=name == show,
        )
        for name, count in counts.items()
    )
