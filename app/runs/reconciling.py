"""Every few seconds: what the database says of runs is made true of the machine.

A run that is live in the database and driven by nobody ends as `interrupted`; a process whose mark names a run that
has ended is made to end, with all that came from it.
"""

import asyncio
import logging
from collections.abc import Collection

from msgspec import Struct

from app.postgres.reading import rows
from app.processes import trees
from app.runs.recovering import interrupt
from app.runs.rows import RunRow, live_runs

log = logging.getLogger(__name__)


class _Id(Struct):
    id: str


class Reconciler:
    """Compares in rounds. A run must be found undriven in two rounds: between its claim and its drive lies a moment."""

    def __init__(self) -> None:
        self._undriven: set[str] = set()

    async def round(self, driven: Collection[str]) -> list[RunRow]:
        """Put right what is not true; returns the runs that were ended. `driven` are the runs of this process."""
        undriven = [run for run in await live_runs() if run.id not in driven and not run.rests]
        lost = [run for run in undriven if run.id in self._undriven]
        self._undriven = {run.id for run in undriven} - {run.id for run in lost}
        for run in lost:
            log.error("run %s was live in the database and driven by nobody", run.id)
            await interrupt(run)
        await end_orphans()
        return lost


async def end_orphans() -> int:
    """End every process that is marked with a run which has ended; returns how many there were.

    Only runs of this database count: another AgentPane on the machine has others, and so has a set-up step.
    """
    marked = await asyncio.to_thread(trees.marked_runs)
    if not marked:
        return 0
    ended = await rows(_Id, "SELECT id FROM agent_runs WHERE id = ANY($1) AND completed_at IS NOT NULL", list(marked))
    swept = 0
    for run in ended:
        log.warning("processes %s outlived their run %s and are ended", marked[run.id], run.id)
        swept += await trees.sweep(run.id)
    return swept
