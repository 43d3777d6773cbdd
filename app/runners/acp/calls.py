"""The tool calls of a conversation, each put together from the pieces in which the protocol tells it.

A call is announced, mostly without its input, told again as more is known, asked for, runs, and ends. It becomes an
event when the program asks for it, runs it or ends it: by then the input is whole.
"""

from collections import OrderedDict
from typing import Any, Literal

from app.runners.acp import outputs
from app.runners.acp.naming import tool_name
from app.runners.base import AgentEvent, ToolFinished, ToolRunning, ToolStarted

#: Calls that may be open at a time; beyond that the oldest is given up.
MAX_OPEN = 100
#: Ids of ended calls that are remembered, so that a late word about one does not open it again.
MAX_REMEMBERED = 10_000
#: Characters of one string of a call's input that are kept.
MAX_INPUT = 256 * 1024
MAX_ID = 200


class Call:
    """One call, as far as it has been told."""

    def __init__(self, call_id: str) -> None:
        self.id = call_id
        self.tool = ""
        self.kind = ""
        self.title = ""
        self.input: dict[str, Any] = {}
        #: Files that it is about.
        self.paths: list[str] = []
        self.output: dict[str, Any] | None = None
        #: Whether our rules let it run when the program asked.
        self.is_permitted = False
        self.is_told = self.is_running = False

    def learn(self, told: dict[str, Any]) -> None:
        """Take in one more piece; what came first names the tool, what came last is its input."""
        self.tool = self.tool or tool_name(told)
        self.title = told.get("title") or self.title
        if told.get("kind") and self.kind in ("", "other"):
            self.kind = str(told["kind"])
        self.input |= _clipped(told.get("rawInput"))
        self.paths = outputs.paths_of(told) or self.paths
        self.output = outputs.output_of(told) or self.output

    @property
    def shown_input(self) -> dict[str, Any]:
        """Its input for the record; of a program that tells none, what it calls the call and its files."""
        return self.input or {"title": self.title, **({"paths": self.paths} if self.paths else {})}


class Calls:
    """Those of one run."""

    def __init__(self) -> None:
        #: Model turn of what is told next.
        self.turn = 0
        self._open: dict[str, Call] = {}
        self._ended: OrderedDict[str, int] = OrderedDict()

    @property
    def all_ended(self) -> bool:
        return not self._open

    def merge(self, told: dict[str, Any], *, begins: bool = False) -> tuple[Call | None, list[AgentEvent]]:
        """The call that `told` is about; None for a late word about one that has ended. The events are of others."""
        call_id = str(told["toolCallId"])[:MAX_ID]
        call = self._open.get(call_id)
        events: list[AgentEvent] = []
        if call is None:
            if call_id in self._ended and not begins:
                return None, []
            call, events = self._open_anew(call_id)
        call.learn(told)
        return call, events

    def told(self, call: Call) -> list[AgentEvent]:
        """The event that tells of the call, unless it has been told."""
        if call.is_told:
            return []
        call.is_told = True
        return [ToolStarted(call_id=call.id, tool=call.tool or "tool", input=call.shown_input, turn=self.turn)]

    def runs(self, call: Call) -> list[AgentEvent]:
        """It runs from now on."""
        call.is_running = True
        return [*self.told(call), ToolRunning(call_id=call.id)]

    def end(
        self, call: Call, status: Literal["complete", "error", "denied"], error: str | None = None
    ) -> list[AgentEvent]:
        """It has ended."""
        self._forget(call)
        finished = ToolFinished(call_id=call.id, status=status, output=call.output, error=error)
        return [*self.told(call), finished]

    def end_all(self) -> list[AgentEvent]:
        """What was open when everything ended."""
        return [event for call in list(self._open.values()) for event in self.end(call, "error", "interrupted")]

    def _open_anew(self, call_id: str) -> tuple[Call, list[AgentEvent]]:
        used = self._ended.get(call_id, 0)
        call = self._open[call_id] = Call(f"{call_id}#{used + 1}" if used else call_id)
        if len(self._open) <= MAX_OPEN:
            return call, []
        oldest = next(iter(self._open.values()))
        return call, self.end(oldest, "error", "The program began too many calls without ending any.")

    def _forget(self, call: Call) -> None:
        call_id = next(key for key, each in self._open.items() if each is call)
        del self._open[call_id]
        self._ended[call_id] = self._ended.pop(call_id, 0) + 1
        while len(self._ended) > MAX_REMEMBERED:
            self._ended.popitem(last=False)


def _clipped(raw: Any) -> dict[str, Any]:
    """A call's input as a document without boundless strings."""
    if raw is None:
        return {}
    document = raw if isinstance(raw, dict) else {"input": raw}
    return {str(key): value[:MAX_INPUT] if isinstance(value, str) else value for key, value in document.items()}
