"""Ask for the end of a run, whichever process drives it, and wait until it is written."""

import asyncio

from app.errors import Conflict, Unavailable
from app.events.recording import Actor, record
from app.projects.locking import locked
from app.runs.rows import RunRow, get_run
from app.runs.tables import RunDetail

#: Seconds to wait for the end of a run: asking, making it end, and committing its work.
WAIT_S = 25.0
_POLL_S = 0.1


async def request_stop(run: RunRow, actor: Actor) -> None:
    """Ask whoever drives the run to end it. `AGENT_NOT_RUNNING` when it ended already."""
    async with locked(run.project_id):
        asked = (
            await RunDetail.update({RunDetail.stop_requested: "stopped"})
            .where(RunDetail.run_id == run.id)
            .returning(RunDetail.run_id)
        )
        current = await get_run(run.id)
        if not asked or not current.is_live:
            raise Conflict("This run has ended already.", "AGENT_NOT_RUNNING")
        await record(run.project_id, "run.stop_requested", actor=actor, subject=run.id)


async def stop_run(run: RunRow, actor: Actor) -> RunRow:
    """Stop a run and return it ended: its processes are gone and its work is committed."""
    await request_stop(run, actor)
    return await wait_ended(run.id)


async def wait_ended(run_id: str) -> RunRow:
    """The run once it has ended; 503 when it does not within `WAIT_S`."""
    for _ in range(int(WAIT_S / _POLL_S)):
        run = await get_run(run_id)
        if not run.is_live:
            return run
        await asyncio.sleep(_POLL_S)
    raise Unavailable("The run is still ending. Nothing is lost; look again in a moment.")
