"""Turn what the protocol tells of a conversation into events. Pure: nothing here waits or starts anything."""

from collections.abc import Callable
from typing import Any

from app.runners.acp import naming, outputs
from app.runners.acp.calls import Call, Calls
from app.runners.acp.usage import Spent
from app.runners.base import AgentEvent, Message, Notice, TextDelta, Usage

#: Characters of a message that are held; a longer one becomes several.
MAX_MESSAGE = 128 * 1024
#: Kinds of updates that tell nothing which a run records.
_NOTHING_NEW = {
    "user_message_chunk",
    "available_commands_update",
    "current_mode_update",
    "config_option_update",
    "session_info_update",
}


class Conversation:
    """One run's exchange with the program, update by update.

    A turn is what the model says and calls before it is answered: the next begins with the first word or call after
    all its calls have ended.
    """

    def __init__(self, turns_before: int = 0, usage_before: Usage | None = None) -> None:
        self.calls = Calls()
        self.calls.turn = turns_before
        self._spent = Spent(usage_before or Usage())
        self._is_answering = False
        self._had_calls = False
        self._turns_at_prompt = turns_before
        self._pieces: list[str] = []
        self._chars = 0
        self._source = ""
        self._messages = 0
        self.result_text: str | None = None
        #: Why the newest call was refused, while the model has said nothing since.
        self.last_refusal: str | None = None
        #: The newest call that ran without asking although it acts on something; to be looked at and taken away.
        self.unasked: Call | None = None
        self._unknown: set[str] = set()

    @property
    def turns(self) -> int:
        return self.calls.turn

    @property
    def usage(self) -> Usage:
        return self._spent.usage

    @property
    def is_between_turns(self) -> bool:
        """Whether the calls of the turn have ended, and the model has said nothing since."""
        return self._had_calls and not self._is_answering

    def read(self, update: dict[str, Any]) -> list[AgentEvent]:
        """The events of one update; kinds that nobody knows become a notice once."""
        kind = str(update.get("sessionUpdate"))
        reader = self._readers().get(kind)
        if reader is None:
            return [] if kind in _NOTHING_NEW else self._unknown_kind(kind)
        try:
            return reader(update)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return [Notice(text=f"A '{kind}' of the program has an unknown shape: {error!r}.", level="warning")]

    def ask(self, told: dict[str, Any]) -> tuple[Call, list[AgentEvent]]:
        """The program asks whether a call may run. A call that is asked for is open, whatever was told before."""
        self._answer_with_call()
        call, events = self.calls.merge(told)
        if call is None:
            call, events = self.calls.merge(told, begins=True)
        assert call is not None
        return call, [*self._whole_message(), *events, *self.calls.told(call)]

    def permit(self, call: Call) -> list[AgentEvent]:
        """A call that was asked for may run."""
        call.is_permitted = True
        return self.calls.runs(call)

    def deny(self, call: Call, why: str) -> list[AgentEvent]:
        """A call that was asked for may not run."""
        self.last_refusal = why
        events = self.calls.end(call, "denied", why)
        self._hand_back()
        return events

    def begin_prompt(self) -> None:
        """The program is about to be prompted."""
        self._is_answering = self._had_calls = False
        self._turns_at_prompt = self.turns
        self.last_refusal = None

    def end_prompt(self, answer: dict[str, Any], program: str) -> list[AgentEvent]:
        """The program has answered a prompt."""
        events = [*self._whole_message(), *self.calls.end_all()]
        self._spent.answered(answer, program, self.turns - self._turns_at_prompt)
        return [*events, self.usage]

    def break_off(self) -> list[AgentEvent]:
        """What was still being said and done when everything ended."""
        return [*self._whole_message(), *self.calls.end_all()]

    def _readers(self) -> dict[str, Callable[[dict[str, Any]], list[AgentEvent]]]:
        return {
            "agent_message_chunk": self._text,
            "agent_thought_chunk": self._thought,
            "tool_call": self._call,
            "tool_call_update": self._call_update,
            "plan": self._plan,
            "usage_update": self._usage,
        }

    def _text(self, update: dict[str, Any]) -> list[AgentEvent]:
        text = outputs.text_of(update["content"])
        source = str(update.get("messageId") or "message")[:200]
        events = self._whole_message() if source != self._source or self._chars > MAX_MESSAGE else []
        self._answer()
        self.last_refusal = None
        self._source = source
        self._pieces.append(text)
        self._chars += len(text)
        return [*events, TextDelta(message_id=self._message_id, text=text)] if text else events

    def _thought(self, _update: dict[str, Any]) -> list[AgentEvent]:
        self._answer()
        return []

    def _call(self, update: dict[str, Any]) -> list[AgentEvent]:
        return self._merge(update, begins=True)

    def _call_update(self, update: dict[str, Any]) -> list[AgentEvent]:
        return self._merge(update, begins=False)

    def _merge(self, update: dict[str, Any], *, begins: bool) -> list[AgentEvent]:
        call, events = self.calls.merge(update, begins=begins)
        if call is None:
            return []
        self._answer_with_call()
        return [*self._whole_message(), *events, *self._moved(call, update)]

    def _moved(self, call: Call, update: dict[str, Any]) -> list[AgentEvent]:
        status = update.get("status")
        if status == "in_progress":
            return [] if call.is_running else self.calls.runs(call)
        if status not in ("completed", "failed"):
            return []
        if not call.is_permitted and call.kind in naming.ACTING:
            self.unasked = call
        failure = outputs.failure_of(update, call.output)
        events = self.calls.end(call, "error" if failure else "complete", failure)
        self._hand_back()
        return events

    def _plan(self, update: dict[str, Any]) -> list[AgentEvent]:
        marks = {"completed": "[x]", "in_progress": "[>]"}
        lines = [f"{marks.get(entry.get('status'), '[ ]')} {entry['content']}" for entry in update["entries"]]
        return [Notice(text="\n".join(["Plan:", *lines]))]

    def _usage(self, update: dict[str, Any]) -> list[AgentEvent]:
        before = self.usage
        self._spent.told_cost(update)
        return [self.usage] if self.usage != before else []

    def _answer(self) -> None:
        """The model says something: its next turn, unless it is still at the same one."""
        self.calls.turn += not self._is_answering
        self._had_calls = self._had_calls and self._is_answering
        self._is_answering = True

    def _answer_with_call(self) -> None:
        self._answer()
        self._had_calls = True

    def _hand_back(self) -> None:
        """A call ended: what the model says after the last one is its next turn."""
        self._is_answering = not self.calls.all_ended

    def _whole_message(self) -> list[AgentEvent]:
        text, message_id = "".join(self._pieces), self._message_id
        self._pieces.clear()
        self._chars = 0
        if not text.strip():
            return []
        self._messages += 1
        self.result_text = text
        return [Message(message_id=message_id, text=text, turn=self.turns)]

    @property
    def _message_id(self) -> str:
        return f"{self._source}.{self._messages}"

    def _unknown_kind(self, kind: str) -> list[AgentEvent]:
        kind = kind[:80]
        if kind in self._unknown or len(self._unknown) >= 20:
            return []
        self._unknown.add(kind)
        return [Notice(text=f"The program told '{kind}', which AgentPane does not know.")]
