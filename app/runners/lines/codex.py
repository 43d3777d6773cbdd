"""`codex exec --json`: a thread of items, each started, perhaps updated, and completed."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.runners.base import AgentEvent, Notice, ToolFinished, ToolStarted, Usage
from app.runners.lines.base import JsonLines, ignore

#: Which key of an item holds the input of its call.
_CALLS = {
    "command_execution": ("shell", ("command",)),
    "file_change": ("file_change", ("changes",)),
    "mcp_tool_call": ("mcp", ("server", "tool", "arguments")),
    "web_search": ("web_search", ("query",)),
}


class CodexLines(JsonLines):
    name = "Codex"

    @staticmethod
    def recognises(line: Mapping[str, Any]) -> bool:
        return line.get("type") == "thread.started" and isinstance(line.get("thread_id"), str)

    def kinds(self) -> Mapping[str, Callable[[dict[str, Any]], Iterator[AgentEvent]]]:
        return {
            "thread.started": self._thread,
            "turn.started": ignore,
            "item.started": self._begun,
            "item.updated": ignore,
            "item.completed": self._completed,
            "turn.completed": self._turn_completed,
            "turn.failed": self._failed,
            "error": self._failed,
        }

    def _thread(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        self.native_session_id = line["thread_id"]
        return iter(())

    def _begun(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        item = line["item"]
        if item["type"] in _CALLS and item["id"] not in self.open_calls:
            tool, keys = _CALLS[item["type"]]
            self.answer()
            self.open_calls[item["id"]] = tool
            given = {key: item[key] for key in keys if key in item}
            yield ToolStarted(call_id=item["id"], tool=tool, input=given, turn=self.turn)

    def _completed(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        item = line["item"]
        if item["type"] in _CALLS:
            yield from self._begun(line)
            yield from self._ended(item)
        elif item["type"] == "agent_message":
            self.answer()
            yield from self.say(item["id"], item["text"])
        elif item["type"] == "error":
            yield Notice(text=str(item.get("message")), level="warning")

    def _ended(self, item: dict[str, Any]) -> Iterator[AgentEvent]:
        self.open_calls.pop(item["id"], None)
        self.hand_back()
        failed = item.get("status") in {"failed", "declined"}
        code = item.get("exit_code")
        why = f"Exit code {code}\n{item.get('aggregated_output', '')}" if code else str(item.get("error") or "failed")
        output: dict[str, Any] = {
            key: item[key] for key in ("aggregated_output", "exit_code", "result", "status") if key in item
        }
        yield ToolFinished(
            call_id=item["id"],
            status="denied" if item.get("status") == "declined" else "error" if failed else "complete",
            output=output,
            error=why if failed else None,
        )

    def _turn_completed(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        usage = line.get("usage") or {}
        self.usage = Usage(
            input_tokens=usage.get("input_tokens"),
            output_tokens=usage.get("output_tokens"),
            cache_read_tokens=usage.get("cached_input_tokens"),
        )
        yield self.usage

    def _failed(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        said = line.get("error") or {}
        self.error = str(said.get("message") or line.get("message") or "The turn failed.")
        self.error_type = "api_error"
        yield Notice(text=self.error, level="error")
