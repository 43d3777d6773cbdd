"""Count what a run uses, and hold it to its limits: it goes on with a warning, rests and asks, or ends.

What is wanted is written into the run's row, in the transaction that counted; the engine does it, as it does what
people want. Turns and minutes of a run that shall end it are held by its program and its clock
(`app.runners.limits`).
"""

from typing import Any

from app.budgets.counting import Counted, count_in_lock
from app.budgets.holding import limits_of_run
from app.budgets.judging import judge_in_lock
from app.budgets.states import About
from app.clock import now
from app.events.recording import SYSTEM, record
from app.permissions.queries import waited_s
from app.permissions.rows import open_of_run
from app.projects.locking import locked
from app.runners.base import ErrorType, Usage
from app.runs.claiming import Claim
from app.runs.rows import RunRow, get_run
from app.runs.tables import RunDetail

#: As what a run ends at a limit of its own; at one of its task or its day it is `budget`.
_ENDINGS: dict[str, ErrorType] = {"turns": "turn_limit", "minutes": "timeout"}
ENDED_BY: tuple[ErrorType, ...] = ("budget", "turn_limit", "timeout")


class Accounts:
    """Of one run."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim

    async def pass_time(self) -> None:
        """Count the time of a run that is at work; what it rests or waits for people is none."""
        if (await get_run(self._claim.run_id)).status != "running":
            return
        async with locked(self._claim.project_id):
            await self.count(None, judge=True)

    async def count(self, usage: Usage | None, *, turns: int = 0, judge: bool) -> None:
        """Write what is new, and with `judge` look at the limits. In the lock; an ended run is passed over."""
        run = await get_run(self._claim.run_id)
        if not run.is_live:
            return
        waits = bool(await open_of_run(run.id))
        counted = await count_in_lock(
            Counted(
                run_id=run.id,
                project_id=run.project_id,
                task_id=run.task_id,
                model=run.model or "",
                turns=max(turns, run.turn_count),
                worked_ms=0 if waits else run.worked_ms(now()) - round(await waited_s(run.id) * 1000),
                usage=usage or Usage(),
            )
        )
        if judge and (counted or run.status in ("starting", "paused")) and not run.stop_requested:
            await self._judge(run)

    async def _judge(self, run: RunRow) -> None:
        found = await limits_of_run(run.id, run.project_id, run.agent_id, run.task_id)
        limits = [limit for limit in found if not limit.is_the_programs]
        verdict, limit = await judge_in_lock(_about(run), limits) if limits else ("", None)
        if verdict == "stop" and limit is not None:
            await request_end(run, _ENDINGS.get(limit.measure, "budget") if limit.span == "run" else "budget")
        elif verdict == "ask":
            await _want(run, {RunDetail.pause_requested: True}, "run.pause_requested")


async def request_end(run: RunRow, reason: ErrorType) -> None:
    """Ask whoever drives the run to end it for that reason. In the project's lock."""
    await _want(run, {RunDetail.stop_requested: reason}, "run.stop_requested")


async def _want(run: RunRow, values: dict[Any, Any], kind: str) -> None:
    await RunDetail.update(values).where(RunDetail.run_id == run.id)
    await record(run.project_id, kind, actor=SYSTEM, subject=run.id, payload={"task": run.task_id})


def _about(run: RunRow) -> About:
    return About(
        project_id=run.project_id,
        task_id=run.task_id,
        agent_id=run.agent_id,
        run_id=run.id,
        session_id=run.session_id or "",
    )
