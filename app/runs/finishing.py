"""End a run: its work is committed, its diff measured, its task moved, its agent free again, and everybody told.

One transaction writes all of it; nothing else ends a run.
"""

from typing import Any

import msgspec

from app.agents import states
from app.agents.rows import get_agent
from app.budgets.judging import withdraw_open
from app.budgets.rows import ending_alert_of
from app.budgets.states import mark_passed
from app.clock import now
from app.events.recording import SYSTEM, record
from app.git.commits import Identity
from app.git.refusals import GitError, GitRefused
from app.git.returning import return_to_branch
from app.permissions.asking import withdraw_all
from app.postgres.reading import execute, rows
from app.processes.redacting import Redactor
from app.projects.locking import locked
from app.runners.base import Finished
from app.runs import states as run_states
from app.runs.budgeting import ENDED_BY
from app.runs.claiming import Claim, claim_in_lock
from app.runs.counting import HANDED_IN, tasks_of_agent
from app.runs.handing_in import hand_in, settle_session
from app.runs.measuring import Work, measure
from app.runs.recording import Recorder
from app.runs.rows import RunRow, ToolSummary, get_run
from app.runs.tables import RunDetail
from app.sessions.rows import get_session
from app.tasks.rows import get_task
from app.worktrees.creating import cut_off
from app.worktrees.removing import save_work
from app.worktrees.rows import get_worktree

#: The column's limit, nearly 25 days: a background agent may run longer.
LONGEST_MS = 2**31 - 1
#: What is said of an ending for which the runner has no words of its own.
_SENTENCES = {
    "stopped": "A person stopped the run.",
    "budget": "The run reached a limit of its budget.",
    "timeout": "The run took longer than it may and was ended.",
    "stalled": "Nothing was heard of the agent for too long, so the run was ended.",
    "interrupted": "The server stopped while this run was going on.",
}


async def finish(claim: Claim, recorder: Recorder, ending: Finished, *, goes_on: bool = False) -> Claim | None:
    """Write the end of a run whose processes are gone. Never raises for what git says: the run tells it instead.

    With `goes_on` an agent that is free now takes what is next in the queue in the same transaction: the claim that
    is returned must be driven.
    """
    run = await get_run(claim.run_id)
    if not run.is_live:
        return None
    ending = _worded(ending, recorder.clean)
    ending, work, saved = await _keep_work(claim, run, ending, recorder.clean)
    async with locked(claim.project_id):
        run = await get_run(run.id)
        if not run.is_live:
            return None
        await recorder.close_what_is_open(ending.error or "The run ended before this call did.")
        await withdraw_all(run.id, "The run ended before anybody answered.")
        await withdraw_open(run.id, "The run ended before anybody answered.")
        await recorder.accounts.count(ending.usage, turns=ending.turn_count, judge=False)
        ending = await _at_a_limit(run, ending)
        run = await _write_run(run, ending, saved)
        is_free = _frees_agent(claim, ending, work)
        await _write_agent(claim, ending, is_free)
        await _tell_session(claim, run, ending, work)
        if claim.task_id is not None:
            await hand_in(claim.task_id, run, work, handed_in=is_free)
        else:
            await settle_session(claim.session_id, run, work)
        return await claim_in_lock(claim.project_id) if goes_on and is_free else None


def _frees_agent(claim: Claim, ending: Finished, work: Work) -> bool:
    """Whether the agent has done what there was to do. Else it waits for a person, and so does its task.

    A chat, and a background agent, have no card that would wait: being stopped leaves nothing to settle.
    """
    if claim.task_id is None:
        return ending.error_type in (None, "stopped", *HANDED_IN)
    return ending.error_type is None or (ending.error_type in HANDED_IN and work.files > 0)


async def _at_a_limit(run: RunRow, ending: Finished) -> Finished:
    """With the limit that ended it. One that ended by itself before was not ended by a limit, whatever was asked."""
    if ending.error_type in ENDED_BY and (limit := await ending_alert_of(run.id)):
        return msgspec.structs.replace(ending, error=limit.line)
    await mark_passed(run.id)
    return ending


def _worded(ending: Finished, clean: Redactor) -> Finished:
    """With a sentence for every reason, and without secrets: a program's last words come here and nowhere else."""
    error = ending.error or (_SENTENCES.get(ending.error_type) if ending.error_type else None)
    return msgspec.structs.replace(
        ending, error=clean.text(error) if error else None, result=clean.text(ending.result) if ending.result else None
    )


async def _keep_work(claim: Claim, run: RunRow, ending: Finished, clean: Redactor) -> tuple[Finished, Work, bool]:
    worktree = await get_worktree(claim.worktree_id)
    if worktree.status == "creating":
        await cut_off(worktree, ending.error or "The run ended before it was done.")
    if worktree.status != "active":
        return ending, Work(), False
    try:
        agent = await get_agent(claim.agent_id)
        title = await _title_of(claim)
        author = Identity(agent.name, f"{agent.id}@agents.localhost")
        await save_work(worktree, f"{title}\n\nRun {run.number} by {agent.name}", author)
        await return_to_branch(worktree.root, worktree.branch)
        return ending, await measure(worktree), True
    except (GitRefused, GitError, OSError) as error:
        why = clean.text(f"The work could not be committed: {error}")
        failed = msgspec.structs.replace(ending, error_type=ending.error_type or "setup_failed", error=why)
        return failed, Work(), False


async def _title_of(claim: Claim) -> str:
    if claim.task_id is not None:
        return (await get_task(claim.task_id)).title
    return (await get_session(claim.session_id)).title or "Work"


async def _write_run(run: RunRow, ending: Finished, saved: bool) -> RunRow:
    ended = now()
    usage = ending.usage
    await run_states.change(
        run,
        "complete" if ending.error_type is None else "fail",
        actor=SYSTEM,
        result=ending.result,
        turn_count=max(run.turn_count, ending.turn_count),
        token_input_count=_known(usage.input_tokens, run.token_input_count),
        token_output_count=_known(usage.output_tokens, run.token_output_count),
        tool_calls=msgspec.json.encode(await _tool_summary(run.id)).decode(),
        error=ending.error,
        error_type=ending.error_type,
        completed_at=ended,
        duration=min(run.worked_ms(ended), LONGEST_MS),
    )
    values: dict[Any, Any] = {RunDetail.activity: None, RunDetail.work_saved: saved}
    values |= {RunDetail.pause_requested: False, RunDetail.paused_at: None, RunDetail.paused_ms: run.rested_ms(ended)}
    if ending.native_session_id:
        values[RunDetail.native_session_id] = ending.native_session_id
    if usage.cost_usd is not None:
        values[RunDetail.cost_usd_micros] = round(usage.cost_usd * 1_000_000)
    await RunDetail.update(values).where(RunDetail.run_id == run.id)
    return await get_run(run.id)


def _known(last: int | None, before: int | None) -> int | None:
    return before if last is None else last


async def _tool_summary(run_id: str) -> list[ToolSummary]:
    return await rows(
        ToolSummary,
        'SELECT tool, count(*)::int AS count, coalesce(sum(duration), 0)::int AS "totalDuration" FROM audit_logs'
        " WHERE agent_run_id = $1 GROUP BY tool ORDER BY count(*) DESC, tool",
        run_id,
    )


async def _write_agent(claim: Claim, ending: Finished, is_free: bool) -> None:
    counts = await tasks_of_agent(claim.agent_id)
    if is_free:
        await states.change(
            claim.project_id, claim.agent_id, "complete", actor=SYSTEM,
            current_task_id=None, current_session_id=None, current_worktree_id=None, **counts,
        )  # fmt: skip
    else:
        await states.change(
            claim.project_id, claim.agent_id, "fail", actor=SYSTEM,
            last_error=ending.error or ending.error_type, last_error_at=now(), **counts,
        )  # fmt: skip


async def _tell_session(claim: Claim, run: RunRow, ending: Finished, work: Work) -> None:
    if ending.error_type is None:
        payload = {"text": f"Run {run.number} ended: {work.summary or 'no changes'}", "status": "completed"}
    else:
        reason = ending.error or ending.error_type
        payload = {"text": f"Run {run.number} ended: {reason}", "status": "error", "error_type": ending.error_type}
    kind = "status" if ending.error_type is None else "error"
    await record(claim.project_id, kind, actor=SYSTEM, subject=run.id, session_id=claim.session_id, payload=payload)
    await execute("UPDATE sessions SET updated_at = now() WHERE id = $1", claim.session_id)
