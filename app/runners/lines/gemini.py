"""`gemini --output-format stream-json`: messages in pieces, tool calls, and one result with statistics."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.runners.base import AgentEvent, Notice, TextDelta, ToolFinished, ToolStarted, Usage
from app.runners.lines.base import NO_SUCH_CALL, JsonLines


class GeminiLines(JsonLines):
    name = "Gemini"

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[str] = []

    @staticmethod
    def recognises(line: Mapping[str, Any]) -> bool:
        return line.get("type") == "init" and isinstance(line.get("session_id"), str)

    def kinds(self) -> Mapping[str, Callable[[dict[str, Any]], Iterator[AgentEvent]]]:
        return {
            "init": self._init,
            "message": self._message,
            "tool_use": self._tool_use,
            "tool_result": self._tool_result,
            "error": self._error,
            "result": self._result,
        }

    def finish(self) -> list[AgentEvent]:
        return [*self._whole_message(), *super().finish()]

    def _init(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        self.native_session_id = line["session_id"]
        self.model = line.get("model")
        return iter(())

    def _message(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        if line.get("role") != "assistant":
            return
        if not line.get("delta"):
            yield from self._whole_message()
        self.answer()
        self._pieces.append(line["content"])
        yield TextDelta(message_id=self._message_id, text=line["content"])
        if not line.get("delta"):
            yield from self._whole_message()

    def _whole_message(self) -> Iterator[AgentEvent]:
        text = "".join(self._pieces)
        self._pieces.clear()
        yield from self.say(self._message_id, text)

    @property
    def _message_id(self) -> str:
        return f"gemini-{self.turn}"

    def _tool_use(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        yield from self._whole_message()
        self.answer()
        self.open_calls[line["tool_id"]] = line["tool_name"]
        given = line.get("parameters") or {}
        yield ToolStarted(call_id=line["tool_id"], tool=line["tool_name"], input=given, turn=self.turn)

    def _tool_result(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        if self.open_calls.pop(line["tool_id"], None) is None:
            yield Notice(text=NO_SUCH_CALL, level="warning")
            return
        self.hand_back()
        failed = line.get("status") != "success"
        why = (line.get("error") or {}).get("message") or line.get("output") or "failed"
        yield ToolFinished(
            call_id=line["tool_id"],
            status="error" if failed else "complete",
            output={"content": line.get("output")} if "output" in line else None,
            error=str(why) if failed else None,
        )

    def _error(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        yield Notice(text=str(line.get("message")), level="error" if line.get("severity") == "error" else "warning")

    def _result(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        yield from self._whole_message()
        stats = line.get("stats") or {}
        self.usage = Usage(input_tokens=stats.get("input_tokens"), output_tokens=stats.get("output_tokens"))
        yield self.usage
        if line.get("status") != "success":
            self.error = str((line.get("error") or {}).get("message") or "The run failed.")
            self.error_type = "api_error"
            yield Notice(text=self.error, level="error")
