"""The engine of a server process: claims queued tasks, drives their runs, stops them when asked, and
keeps the database true of the machine.

It is woken by the events of the log, so it does not matter which process queued a task or asked for a stop.
"""

import asyncio
import contextvars
import logging
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from app.audit.retaining import Retention
from app.events.fanout import Fanout
from app.events.recording import Notification
from app.permissions.emptying import empty_questions
from app.permissions.waiting import Waiting
from app.postgres.errors import is_away
from app.runners.base import ErrorType, Runner
from app.runs.claiming import Claim, claim_next, projects_with_queue
from app.runs.driving import Drive
from app.runs.pausing import wanted_again
from app.runs.reconciling import Reconciler
from app.runs.recovering import interrupt
from app.runs.rows import asked_to_stop, get_run, not_as_wanted
from app.sessions import presence
from app.settings import Settings
from app.worktrees.finishing import Removals
from app.worktrees.measuring import measure_next
from app.worktrees.reconciling import WorktreeReconciler

log = logging.getLogger(__name__)

Result = TypeVar("Result")

#: Seconds after which the engine looks again even when nothing woke it.
TICK_S = 5.0
#: Seconds after which a run that was asked to end, and has not, is given up and ended from outside.
HUNG_S = 90.0
#: Seconds for runs to end when the server stops.
STOP_S = 6.0
#: What people want of a run that goes on.
_TO_HEED = ("run.pause_requested", "run.resume_requested", "run.message_urgent")


class Engine:
    """Drives every run of this process. One per process that serves."""

    def __init__(self, settings: Settings, runners: Mapping[str, Runner], fanout: Fanout) -> None:
        self._settings = settings
        self._runners = runners
        self._fanout = fanout
        self._drives: dict[str, tuple[Drive, asyncio.Task[Claim | None]]] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._reconciler = Reconciler()
        self._waiting = Waiting()
        self._worktrees = WorktreeReconciler()
        self._removals = Removals()
        self._retention = Retention(also=empty_questions)
        #: When each run was first seen asked to end.
        self._asked: dict[str, float] = {}
        #: Runs whose end is being written from outside of their drives.
        self._given_up: set[str] = set()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._unlisten: Callable[[], None] | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to claim; call once, after the reconciliation of a start."""
        self._unlisten = self._fanout.listen(self._on_event)
        forever = (self._claim_forever(), self._tick_forever(), self._look_after_worktrees(), self._look_after_audit())
        self._tasks = [self._spawn(each) for each in forever]
        self._wake.set()

    async def stop(self) -> None:
        """Interrupt every run and return when their ends are written; they can be resumed after the next start."""
        self._closed = True
        if self._unlisten:
            self._unlisten()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        drives = list(self._drives.values())
        await asyncio.gather(*(drive.stop("interrupted") for drive, _ in drives), return_exceptions=True)
        if drives:
            await asyncio.wait([task for _, task in drives], timeout=STOP_S)

    async def end(self, run_id: str, reason: ErrorType) -> None:
        """End a run of this process; nothing happens for one that it does not drive."""
        if held := self._drives.get(run_id):
            await held[0].stop(reason)

    def _on_event(self, note: Notification) -> None:
        if note.session_id is not None:
            return
        if note.kind == "run.stop_requested" and note.subject in self._drives:
            self._soon(self._end_as_asked(note.subject))
        elif note.kind in _TO_HEED and note.subject in self._drives:
            self._soon(self._heed(note.subject))
        elif note.kind.startswith("permission."):
            self._waiting.wake(note.subject)
        else:
            self._wake.set()

    async def _end_as_asked(self, run_id: str) -> None:
        for reason in (await asked_to_stop([run_id])).values():
            await self.end(run_id, reason)

    async def _heed(self, run_id: str) -> None:
        if held := self._drives.get(run_id):
            await held[0].heed()

    def _soon(self, errand: "asyncio._CoroutineLike[None]") -> None:
        """Do it beside everything else; what goes wrong is said, and done again by the next round."""
        task = self._spawn(errand)
        self._errands.add(task)
        task.add_done_callback(self._errand_done)

    def _errand_done(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _report(error, "a run could not be told at once what is wanted of it")

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._wake.set()
            try:
                await presence.expire()
                await self._hear_what_was_missed()
                await self._reconciler.round({*self._drives, *self._given_up})
            except Exception as error:
                _report(error, "the engine's round was cut off")

    async def _look_after_worktrees(self) -> None:
        while True:
            try:
                await self._removals.round()
                await self._worktrees.round()
                await measure_next()
            except Exception as error:
                _report(error, "looking after the worktrees was cut off")
            await asyncio.sleep(TICK_S)

    async def _look_after_audit(self) -> None:
        while True:
            try:
                await self._retention.round()
            except Exception as error:
                _report(error, "emptying old tool calls was cut off")
            await asyncio.sleep(TICK_S)

    async def _hear_what_was_missed(self) -> None:
        """While the listener has no connection, what people ask for is only in the database."""
        self._waiting.wake()
        asked = await asked_to_stop(list(self._drives))
        self._asked = {run_id: self._asked.get(run_id, time.monotonic()) for run_id in asked}
        for run_id, since in self._asked.items():
            hangs = time.monotonic() - since > HUNG_S
            self._soon(self._give_up(run_id) if hangs else self.end(run_id, asked[run_id]))
        for run_id in await not_as_wanted(list(self._drives)):
            self._soon(self._heed(run_id))
        for drive, _ in self._drives.values():
            self._soon(drive.look_at_the_clock())

    async def _give_up(self, run_id: str) -> None:
        """End a run whose drive hangs in our own code; what is left of its processes is ended first."""
        held = self._drives.get(run_id)
        if held is None or run_id in self._given_up:
            return
        log.error("run %s did not end within %s s after it was asked to; its drive is given up", run_id, HUNG_S)
        self._given_up.add(run_id)
        try:
            held[1].cancel()
            await asyncio.wait([held[1]], timeout=STOP_S)
            run = await get_run(run_id)
            if run.is_live:
                reason = run.stop_requested or "stopped"
                who = "A person" if reason == "stopped" else "A limit"
                await interrupt(run, reason, f"{who} stopped the run. It did not end by itself and was given up.")
        finally:
            self._given_up.discard(run_id)

    async def _claim_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._claim_all()
            except Exception as error:
                _report(error, "the queue could not be served; trying again")

    async def _claim_all(self) -> None:
        for rested in await wanted_again():
            if not self._closed and rested.run_id not in self._drives:
                self._drive(rested)
        for project_id in await projects_with_queue():
            try:
                while not self._closed and (claim := await claim_next(project_id)):
                    self._drive(claim)
            except Exception as error:
                _report(error, f"the queue of project {project_id} could not be served; trying again")

    def _drive(self, claim: Claim) -> None:
        drive = Drive(claim, self._runners, self._settings, self._waiting)
        task = self._spawn(drive.run())
        self._drives[claim.run_id] = (drive, task)
        task.add_done_callback(lambda _: self._ended(claim.run_id))

    def _ended(self, run_id: str) -> None:
        _, task = self._drives.pop(run_id)
        if task.cancelled():
            return
        if error := task.exception():
            log.error("run %s could not be written to its end", run_id, exc_info=error)
        elif (following := task.result()) and not self._closed:
            self._drive(following)
        self._wake.set()

    @staticmethod
    def _spawn(coroutine: "asyncio._CoroutineLike[Result]") -> asyncio.Task[Result]:
        """A task with a context of its own: an inherited transaction would lend it a connection given back."""
        return asyncio.get_running_loop().create_task(coroutine, context=contextvars.Context())


def _report(error: BaseException, what: str) -> None:
    if is_away(error):
        log.warning("the database is away: %s", what)
    else:
        log.error(what, exc_info=error)
