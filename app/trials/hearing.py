"""What of a trial is kept while it goes on: little, and without secrets."""

from collections import deque
from datetime import datetime

from msgspec.structs import replace

from app.clock import now
from app.processes.cutting import beginning
from app.processes.redacting import Redactor
from app.runners.base import (
    AgentEvent,
    Finished,
    Message,
    Notice,
    Retry,
    ToolFinished,
    ToolStarted,
    Usage,
)
from app.sessions.tool_views import argument_line
from app.trials.causes import Cause, cause_of
from app.trials.views import Outcome, State, TriedTool
from app.web.hidden import name_hidden, without_ansi

#: Characters of the answer and of each line, calls that are listed, and lines that are kept of what was printed.
ANSWER_CHARS = 8_000
_LINE_CHARS = 400
_CALLS = 30
_PRINTED = 20


class Hearing:
    """Turns the events of one run into an `Outcome`."""

    def __init__(self, prompt: str, folder: str, clean: Redactor, sign_in: str) -> None:
        self.unconfined = ""
        self._prompt = prompt
        self._folder = folder
        self._clean = clean
        self._sign_in = sign_in
        self._started_at: datetime = now()
        self._answer = ""
        self._usage = Usage()
        self._turns = 0
        self._calls: dict[str, TriedTool] = {}
        self._more = 0
        self._printed: deque[str] = deque(maxlen=_PRINTED)
        self._end: Finished | None = None
        self._ended_at: datetime | None = None
        self._cause = Cause("")

    def hear(self, event: AgentEvent) -> None:
        """Keep what counts of it."""
        match event:
            case Message(role="assistant"):
                self._answer, self._turns = self._text(event.text, ANSWER_CHARS), max(self._turns, event.turn)
            case ToolStarted():
                self._begin(event)
            case ToolFinished():
                self._finish(event)
            case Usage():
                self._usage = event
            case Notice():
                self._printed.extend(self._text(line, _LINE_CHARS) for line in event.text.splitlines()[-_PRINTED:])
            case Retry():
                self._printed.append(self._text(_retry(event), _LINE_CHARS))

    def end(self, finished: Finished) -> None:
        """It is over: nothing of it is left on the machine."""
        self._end, self._ended_at = finished, now()
        self._usage, self._turns = finished.usage, finished.turn_count or self._turns
        if finished.error_type:
            said = [finished.error or "", *reversed(self._printed)]
            self._cause = cause_of(finished.error_type, said, self._sign_in)
        elif finished.result:
            self._answer = self._text(finished.result, ANSWER_CHARS)

    def outcome(self) -> Outcome:
        """How it stands now."""
        error = self._text(self._end.error or "", ANSWER_CHARS) if self._end else ""
        took = self._ended_at - self._started_at if self._ended_at else None
        return Outcome(
            prompt=self._prompt,
            state=_state(self._end),
            started_at=self._started_at,
            duration=round(took.total_seconds() * 1000) if took else None,
            turns=self._turns,
            tokens_in=self._usage.input_tokens,
            tokens_out=self._usage.output_tokens,
            answer=self._answer,
            tools=tuple(self._calls.values()),
            more_tools=self._more,
            cause=self._cause.text,
            help=self._cause.help,
            error=error,
            printed=tuple(line for line in self._printed if line not in error),
            unconfined=self.unconfined,
        )

    def _begin(self, call: ToolStarted) -> None:
        if len(self._calls) >= _CALLS and call.call_id not in self._calls:
            self._more += 1
            return
        line = self._text(argument_line(call.tool, call.input, self._folder), _LINE_CHARS)
        self._calls[call.call_id] = TriedTool(name=call.tool[:80], argument=line, status="running")

    def _finish(self, call: ToolFinished) -> None:
        if known := self._calls.get(call.call_id):
            self._calls[call.call_id] = replace(
                known,
                status="ok" if call.status == "complete" else "refused" if call.status == "denied" else "failed",
                duration=call.duration_ms,
                error=self._text(call.error or "", _LINE_CHARS),
            )

    def _text(self, text: str, most: int) -> str:
        return name_hidden(without_ansi(beginning(self._clean.text(text), most)))


def _retry(event: Retry) -> str:
    status = f" {event.status}" if event.status else ""
    return f"The model's service answered{status}: {event.error or 'no reason given'}; attempt {event.attempt}."


def _state(end: Finished | None) -> State:
    if end is None:
        return "running"
    if end.error_type is None:
        return "succeeded"
    return "stopped" if end.error_type == "stopped" else "failed"
