"""The head of a session page: its state, its run, and what can be done with it now."""

from app.agents.rows import LIVE, AgentStatus
from app.sessions.facts import Facts
from app.sessions.rows import SessionRow
from app.sessions.stream_views import SessionHead, SessionRun
from app.tasks.stages import Stage, pause_word, stage_of
from app.tasks.views import Action, AgentLink, is_about_a_limit, pause_action


def head_of(session: SessionRow, facts: Facts) -> SessionHead:
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


def _stage(facts: Facts) -> Stage:
    if facts.column is not None:
        return stage_of(facts.column, facts.agent_status if facts.task_agent_id else None, facts.asked_path is not None)
    if facts.waits:
        return "queued"
    if facts.is_here and facts.asked_path:
        return "needs_you"
    stages: dict[AgentStatus | None, Stage] = {
        "starting": "starting",
        "running": "running",
        "paused": "paused",
        "error": "error",
    }
    return stages.get(facts.agent_status, "idle") if facts.is_here else "idle"


def _stage_word(stage: Stage, facts: Facts) -> str:
    if stage == "error" and facts.error_type:
        return f"Error: {facts.error_type}"
    return pause_word(stage, bool(facts.pause_requested))


def _run(facts: Facts) -> SessionRun | None:
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
        gauges=facts.gauges,
    )


def _duration(facts: Facts) -> int | None:
    """How long a run took that has ended, or has worked that rests."""
    if facts.paused_at is None or facts.run_started_at is None:
        return facts.run_duration
    return int((facts.paused_at - facts.run_started_at).total_seconds() * 1000)


def _actions(facts: Facts) -> tuple[Action, ...]:
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


def _live_actions(facts: Facts) -> tuple[Action, ...]:
    stop = Action(label="Stop", path=f"/agents/{facts.agent_id}/stop", icon="stop", tone="danger")
    pause = pause_action(facts.agent_id or "", facts.agent_status or "", bool(facts.pause_requested))
    if facts.asked_path is None:
        return pause, stop
    answer = Action(label="Answer", path=facts.asked_path, icon="needs_you", method="get", tone="primary")
    return (answer, stop) if is_about_a_limit(facts.asked_path) else (answer, pause, stop)


def _standalone_actions(session: SessionRow, facts: Facts) -> tuple[Action, ...]:
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
