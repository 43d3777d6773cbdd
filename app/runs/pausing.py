"""Let a run rest, and go on: what people ask for, and what the engine writes once it is so.

`run_details.pause_requested` is what is wanted, `agent_runs.status` what is. A program that knows turns ends after its
current one, and the run rests in the database alone; a command stands still where it is.
"""

from typing import Any, Literal

from app.agents import states
from app.budgets.rows import open_alert_of
from app.clock import now
from app.errors import Conflict
from app.events.recording import SYSTEM, Actor, record
from app.permissions.asking import withdraw_all
from app.postgres.reading import rows
from app.projects.locking import locked
from app.runners.base import Rested
from app.runs import states as run_states
from app.runs.claiming import Claim
from app.runs.recording import Recorder
from app.runs.rows import RunRow, get_run
from app.runs.tables import AgentRun, RunDetail
from app.sessions.messaging import queue_in_lock
from app.sessions.rows import get_session

PAUSED = "The run was paused before anybody answered."


async def request_pause(run: RunRow, actor: Actor) -> RunRow:
    """Ask that a run rests; asking twice is asking once. `AGENT_NOT_RUNNING` when it has ended or is being ended."""
    async with locked(run.project_id):
        await _require_going_on(run)
        if await want(run, pause=True):
            await _tell(run, "run.pause_requested", actor)
            await _say(run, f"{actor.name} asked for a pause", "pausing", actor)
            if run.rests:  # It outlasted a server with its question, and nothing else will take that back.
                await withdraw_all(run.id, PAUSED)
    return await get_run(run.id)


async def resume(run: RunRow, actor: Actor, text: str = "") -> RunRow:
    """Let a run go on that rests or was asked to; it is told `text`, and so is one that goes on anyhow.

    `AGENT_NOT_RUNNING` when it has ended, and when there is nothing to do.
    """
    async with locked(run.project_id):
        await _require_going_on(run)
        if await open_alert_of(run.id) is not None:
            raise Conflict("This run has reached a limit and waits for an answer about it.", "BUDGET_ASKED")
        if text and run.session_id is not None:
            await queue_in_lock(await get_session(run.session_id), text, actor)
        if await want(run, pause=False):
            await _tell(run, "run.resume_requested", actor)
            await _say(run, f"{actor.name} ended the pause", "resuming", actor)
        elif not text:
            raise Conflict("This run is not paused: it goes on.", "AGENT_NOT_RUNNING")
    return await get_run(run.id)


async def wanted_again() -> list[Claim]:
    """The runs that rest without a process and shall go on, or end."""
    return await rows(
        Claim,
        "SELECT r.id AS run_id, r.task_id, r.agent_id, r.session_id, a.current_worktree_id AS worktree_id, r.project_id"
        " FROM agent_runs r JOIN run_details d ON d.run_id = r.id JOIN agents a ON a.id = r.agent_id"
        " WHERE r.status = 'paused' AND r.completed_at IS NULL AND d.boot_id IS NULL"
        " AND (NOT d.pause_requested OR d.stop_requested IS NOT NULL) ORDER BY d.paused_at",
    )


async def rest(claim: Claim, recorder: Recorder, rested: Rested) -> None:
    """Write that a run rests now: its program has ended, or was not begun. Nothing happens to one that has ended."""
    async with locked(claim.project_id):
        run = await get_run(claim.run_id)
        if run.is_live:
            await withdraw_all(run.id, PAUSED)
        if not run.is_live or run.status == "paused":
            return
        await recorder.close_what_is_open("The run was paused before this ended.")
        await keep_counts(run, rested)
        await recorder.accounts.count(rested.usage, turns=rested.turn_count, judge=False)
        if run.status == "starting":
            run = await run_states.change(run, "begin", actor=SYSTEM)
            await states.change(claim.project_id, claim.agent_id, "begin", actor=SYSTEM)
        await pause_in_lock(claim, run, {RunDetail.pid: None, RunDetail.start_ticks: None, RunDetail.boot_id: None})


async def stand_still(claim: Claim) -> None:
    """Write that the processes of a run stand still."""
    async with locked(claim.project_id):
        run = await get_run(claim.run_id)
        if run.status == "running":
            await pause_in_lock(claim, run, {})


async def move_on(claim: Claim) -> None:
    """Write that processes which stood still go on."""
    async with locked(claim.project_id):
        run = await get_run(claim.run_id)
        if run.status == "paused" and not run.rests:
            await go_on_in_lock(claim, run)


async def go_on_in_lock(claim: Claim, run: RunRow) -> None:
    """Write that a paused run is running. The caller holds the project's lock."""
    values = {RunDetail.paused_at: None, RunDetail.paused_ms: run.rested_ms(now())}
    await _change(claim, run, "resume", values, f"Run {run.number} goes on")


async def pause_in_lock(claim: Claim, run: RunRow, values: dict[Any, Any]) -> None:
    """Write that a run rests, from now on unless `values` say another time. The caller holds the project's lock."""
    values = {RunDetail.paused_at: now(), RunDetail.activity: None, **values}
    await _change(claim, run, "pause", values, f"Run {run.number} rests")


async def _change(
    claim: Claim, run: RunRow, event: Literal["pause", "resume"], values: dict[Any, Any], words: str
) -> None:
    changed = await run_states.change(run, event, actor=SYSTEM)
    await RunDetail.update(values).where(RunDetail.run_id == run.id)
    await states.change(claim.project_id, claim.agent_id, event, actor=SYSTEM)
    await _say(run, words, changed.status, SYSTEM)


async def keep_counts(run: RunRow, rested: Rested) -> None:
    """Write what a run has used by the time of its rest. In the project's lock."""
    counts: dict[Any, Any] = {AgentRun.turn_count: max(run.turn_count, rested.turn_count)}
    usage = rested.usage
    if usage.output_tokens is not None:
        counts |= {AgentRun.token_input_count: usage.input_tokens, AgentRun.token_output_count: usage.output_tokens}
    await AgentRun.update(counts).where(AgentRun.id == run.id)
    values: dict[Any, Any] = {}
    if rested.native_session_id:
        values[RunDetail.native_session_id] = rested.native_session_id
    if usage.cost_usd is not None:
        values[RunDetail.cost_usd_micros] = round(usage.cost_usd * 1_000_000)
    if values:
        await RunDetail.update(values).where(RunDetail.run_id == run.id)


async def _require_going_on(run: RunRow) -> None:
    current = await get_run(run.id)
    if not current.is_live:
        raise Conflict("This run has ended already.", "AGENT_NOT_RUNNING")
    if current.stop_requested:
        raise Conflict("This run is being stopped.", "AGENT_NOT_RUNNING")


async def want(run: RunRow, *, pause: bool) -> bool:
    """Compare-and-set of what is wanted; says whether it was another before. In the project's lock."""
    changed = (
        await RunDetail.update({RunDetail.pause_requested: pause})
        .where((RunDetail.run_id == run.id) & (RunDetail.pause_requested.eq(not pause)))
        .returning(RunDetail.run_id)
    )
    return bool(changed)


async def _tell(run: RunRow, kind: str, actor: Actor) -> None:
    await record(run.project_id, kind, actor=actor, subject=run.id, payload={"task": run.task_id})


async def _say(run: RunRow, words: str, status: str, actor: Actor) -> None:
    await record(
        run.project_id, "status", actor=actor, subject=run.id, session_id=run.session_id,
        payload={"text": words, "status": status},
    )  # fmt: skip
