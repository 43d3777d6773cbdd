"""What a parser of JSON lines is: it turns one line into events and remembers how the run is going."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from app.runners.base import AgentEvent, ErrorType, Message, Notice, ToolFinished, Usage
from app.runners.recent import Recent

#: What is said of a tool's result without a call.
NO_SUCH_CALL = "A result came for a call that never began, or had ended; it is not kept."


class JsonLines(ABC):
    """Parser of one program's JSON lines. Lines of a kind it does not know become notices, never exceptions."""

    #: How a page calls the format.
    name: ClassVar[str]

    def __init__(self) -> None:
        self.native_session_id: str | None = None
        self.model: str | None = None
        #: Answers of the model so far.
        self.turn = 0
        self._answering = False
        self.result: str | None = None
        self.usage = Usage()
        self.error: str | None = None
        self.error_type: ErrorType | None = None
        #: Calls that have begun and not ended.
        self.open_calls: dict[str, str] = Recent()

    @staticmethod
    @abstractmethod
    def recognises(line: Mapping[str, Any]) -> bool:
        """Whether a run's first JSON line is of this program."""

    @abstractmethod
    def kinds(self) -> Mapping[str, Callable[[dict[str, Any]], Iterator[AgentEvent]]]:
        """The reader of each `type` of line."""

    def read(self, line: dict[str, Any]) -> list[AgentEvent]:
        """The events that `line` tells of."""
        kind = str(line.get("type"))
        reader = self.kinds().get(kind)
        if reader is None:
            return [Notice(text=f"{self.name} reported '{kind}', which AgentPane does not know.")]
        try:
            return list(reader(line))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return [Notice(text=f"A '{kind}' line of {self.name} has an unknown shape: {error!r}.", level="warning")]

    def finish(self) -> list[AgentEvent]:
        """Close what is still open when the program has ended."""
        closing: list[AgentEvent] = [
            ToolFinished(call_id=call_id, status="error", error="interrupted") for call_id in self.open_calls
        ]
        self.open_calls.clear()
        return closing

    def answer(self) -> None:
        """The model said or called something: a new turn, unless it is still at the same one."""
        self.turn += not self._answering
        self._answering = True

    def hand_back(self) -> None:
        """A call ended: what the model says next is its next turn."""
        self._answering = False

    def say(self, message_id: str, text: str) -> Iterator[AgentEvent]:
        """A whole message of the assistant; the last one is the result."""
        if text.strip():
            self.result = text
            yield Message(message_id=message_id, text=text, turn=self.turn)


def ignore(_line: dict[str, Any]) -> Iterator[AgentEvent]:
    """A kind of line that tells nothing new."""
    return iter(())
