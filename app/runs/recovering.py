"""After a start: runs that the database calls live and that no process drives are ended as `interrupted`.

Their processes die with the server (each has a guard); what is left of one all the same is found by its mark and ended.
"""

import asyncio
import logging
import shutil
from pathlib import Path

from app.agents.rows import get_agent
from app.budgets.rows import open_alert_of
from app.errors import DomainError
from app.git.refusals import GitError, GitRefused
from app.permissions.rows import unsettled_of_run
from app.processes import trees
from app.processes.redacting import Redactor
from app.runners.base import ErrorType, Finished, Rested, Usage
from app.runs.claiming import Claim
from app.runs.finishing import finish
from app.runs.outlasting import outlast
from app.runs.recording import Recorder
from app.runs.rows import RunRow, live_runs
from app.sessions.standalone import standalone
from app.tasks.rows import get_task

log = logging.getLogger(__name__)

WHY = "The server went away while this run was going on."


async def recover() -> list[RunRow]:
    """End every run that had a process; returns them as they were. Call before the engine.

    One that rests can go on, and so can one that waited for a person.
    """
    interrupted = []
    for run in await live_runs():
        if run.rests or await _outlasts(run):
            continue
        await interrupt(run)
        interrupted.append(run)
    return interrupted


async def forget_state_dirs(data_dir: Path) -> None:
    """Take away what the runs of a killed server left in the data folder. Call before anything is started."""
    await asyncio.to_thread(shutil.rmtree, data_dir / "runs", ignore_errors=True)


async def interrupt(run: RunRow, error_type: ErrorType = "interrupted", why: str = WHY) -> None:
    """End a run that nobody drives: first what is left of its processes, then in the database."""
    left = await _end_processes(run)
    log.warning("run %s is ended (%s); %s processes of it were still there and were ended", run.id, error_type, left)
    await _write_end(run, error_type, why)


async def _end_processes(run: RunRow) -> int:
    ended = await trees.sweep(run.id)
    if run.pid and run.boot_id == trees.boot_id() and trees.is_alive(run.pid, run.start_ticks):
        await trees.end_tree(run.pid, run.start_ticks, run.id)
        ended += 1
    return ended


async def _outlasts(run: RunRow) -> bool:
    recorder = await _recorder_of(run)
    if recorder is None or not (await unsettled_of_run(run.id) or await open_alert_of(run.id)):
        return False
    await _end_processes(run)
    return await outlast(recorder.claim, recorder, Rested(usage=_used(run)))


async def _write_end(run: RunRow, error_type: ErrorType, why: str) -> None:
    recorder = await _recorder_of(run)
    if recorder is None:
        return
    ending = Finished(error_type=error_type, error=why, usage=_used(run), native_session_id=run.native_session_id)
    try:
        await finish(recorder.claim, recorder, ending)
    except (DomainError, GitRefused, GitError, OSError):
        log.exception("the end of run %s could not be written", run.id)


def _used(run: RunRow) -> Usage:
    return Usage(input_tokens=run.token_input_count, output_tokens=run.token_output_count)


async def _recorder_of(run: RunRow) -> Recorder | None:
    agent = await get_agent(run.agent_id)
    worktree_id = agent.current_worktree_id or await _worktree_of(run)
    if run.session_id is None or worktree_id is None:
        return None
    claim = Claim(run.id, run.task_id, agent.id, run.session_id, worktree_id, run.project_id)
    return Recorder(claim, agent.name, Redactor({}))


async def _worktree_of(run: RunRow) -> str | None:
    if run.task_id is not None:
        return (await get_task(run.task_id)).worktree_id
    session = await standalone(run.session_id)
    return session.worktree_id if session else None
