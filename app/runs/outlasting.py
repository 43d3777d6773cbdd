"""A run that waits for a person outlasts the end of its server: it rests, and asks again after the next start.

A program that remembers its conversation goes on in it. A command begins anew, and is told what was before. Any other
is interrupted, and its question taken back.
"""

from app.budgets.rows import open_alert_of
from app.permissions.asking import leave
from app.permissions.rows import unsettled_of_run
from app.projects.locking import locked
from app.runners.base import Rested
from app.runs.claiming import Claim
from app.runs.pausing import keep_counts, pause_in_lock
from app.runs.recording import Recorder
from app.runs.rows import RunRow, get_run
from app.runs.tables import RunDetail

#: What an agent is told first whose call was cut off by the end of the server.
ASK_AGAIN = (
    "The server was restarted while a person was being asked about a call of yours, {tool}. It did not run. Make the"
    " same call again with the same input, then go on where you stopped."
)


def begins_anew(run: RunRow) -> bool:
    """Whether a run that rested without a process knows nothing of what it did before."""
    return run.runner == "command"


async def outlast(claim: Claim, recorder: Recorder, rested: Rested) -> bool:
    """Let a run rest whose processes are gone and whose question goes on. False when there is none, or it cannot."""
    async with locked(claim.project_id):
        run = await get_run(claim.run_id)
        asked = await unsettled_of_run(run.id)
        session = rested.native_session_id or run.native_session_id
        can_go_on = session is not None or begins_anew(run)
        at_limit = await open_alert_of(run.id)
        if run.status != "running" or run.stop_requested or not (asked or at_limit) or not can_go_on:
            return False
        await recorder.close_what_is_open("The server went away before this ran.")
        await keep_counts(run, rested)
        await recorder.accounts.count(rested.usage, judge=False)
        since = min([each.waits_since or each.asked_at for each in asked] + ([at_limit.asked_at] if at_limit else []))
        gone = {RunDetail.pid: None, RunDetail.start_ticks: None, RunDetail.boot_id: None}
        await leave(run.id)
        await pause_in_lock(claim, run, {**gone, RunDetail.paused_at: since})
        return True
