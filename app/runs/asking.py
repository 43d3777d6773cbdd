"""What the program of one run asks people: the question is stored, and its answer waited for as long as it takes."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from app.git.finishing import uninterrupted
from app.permissions.asking import WENT_ON, Asker, Call, ask, digest_of, withdraw_call, withdraw_left
from app.permissions.rows import PermissionRow, unsettled_of_run
from app.permissions.waiting import Waiting
from app.postgres.patience import patiently
from app.projects.locking import locked
from app.runners.base import AgentEvent, Answer, Question
from app.runs.outlasting import begins_anew
from app.runs.recording import Recorder
from app.runs.rows import RunRow

#: Why a question is taken back whose program hears no answer any more.
HUNG_UP = "The program that asked has ended, or went on."


class Questions:
    """The questions of one run. `outlasts` says whether they stay open although the run is being ended."""

    def __init__(self, agent_name: str, recorder: Recorder, waiting: Waiting, outlasts: Callable[[], bool]) -> None:
        claim = recorder.claim
        self._asker = Asker(
            project_id=claim.project_id,
            task_id=claim.task_id,
            agent_id=claim.agent_id,
            run_id=claim.run_id,
            session_id=claim.session_id,
            agent_name=agent_name,
        )
        self._recorder = recorder
        self._waiting = waiting
        self._outlasts = outlasts
        #: The turn by which a run that goes on after a restart must have asked again; None once that is settled.
        self._last_turn: int | None = None
        #: Whether the program goes on after a rest, and remembers nothing.
        self.begin_anew = False

    async def ask(self, question: Question) -> Answer:
        """What a person says to this call. Cancelling it takes the question back."""
        place = await self._recorder.place_of(question.call_id)
        try:
            request = await uninterrupted(patiently(lambda: ask(self._asker, self._call(question, *place))))
            return _answer(await self._waiting.answer_to(request))
        except asyncio.CancelledError:
            if not self._outlasts():
                await uninterrupted(patiently(lambda: withdraw_call(self._asker, place[0], HUNG_UP)))
            raise

    async def go_on(self, run: RunRow) -> None:
        """The run begins, or goes on with what it asked before a restart."""
        asked = await unsettled_of_run(run.id)
        self.begin_anew = begins_anew(run) and run.rests and bool(asked or run.turn_count)
        self._asker = msgspec.structs.replace(self._asker, begins_anew=self.begin_anew)
        if asked and not self.begin_anew:
            self._last_turn = run.turn_count + 1

    async def heed(self, batch: Sequence[AgentEvent]) -> None:
        """Take back what was asked before a restart once the agent goes on without asking it again."""
        if self._last_turn is None or all(getattr(event, "turn", 0) <= self._last_turn for event in batch):
            return
        self._last_turn = None
        async with locked(self._asker.project_id):
            await withdraw_left(self._asker.run_id, WENT_ON)

    def _call(self, question: Question, key: str, audit_id: str | None) -> Call:
        clean = self._recorder.clean
        return Call(
            call_id=key,
            audit_id=audit_id,
            tool=clean.text(question.tool),
            input=clean.value(question.input),
            digest=digest_of(question.tool, question.input),
            why=clean.text(question.why),
            asking=question.asking or (question.rule,),
        )


def _answer(request: PermissionRow) -> Answer:
    return Answer(allowed=request.is_allowed, note=request.note or "", by=request.answered_by or "")
