"""`claude -p --output-format stream-json --verbose`: one line per message, as the Agent SDK sees them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.runners.base import AgentEvent, Notice, Retry, TextDelta, ToolFinished, ToolStarted, Usage
from app.runners.lines.base import NO_SUCH_CALL, JsonLines, ignore
from app.runners.outcomes import claude_error_type, claude_tokens
from app.runners.recent import Recent


class ClaudeLines(JsonLines):
    name = "Claude Code"

    def __init__(self) -> None:
        super().__init__()
        self._messages: dict[str, int] = Recent()
        self._streaming = ""

    @staticmethod
    def recognises(line: Mapping[str, Any]) -> bool:
        return line.get("type") in {"system", "assistant"} and isinstance(line.get("session_id"), str)

    def kinds(self) -> Mapping[str, Callable[[dict[str, Any]], Iterator[AgentEvent]]]:
        return {
            "system": self._system,
            "assistant": self._assistant,
            "user": self._user,
            "stream_event": self._delta,
            "result": self._result,
            "rate_limit_event": ignore,
        }

    def _system(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        self.native_session_id = line.get("session_id") or self.native_session_id
        if line.get("subtype") == "init":
            self.model = line.get("model")
        elif line.get("subtype") == "api_retry":
            yield Retry(
                attempt=line["attempt"],
                max_attempts=line.get("max_retries"),
                delay_ms=round(line.get("retry_delay_ms") or 0),
                status=line.get("error_status"),
                error=str(line.get("error") or ""),
            )

    def _assistant(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        if line.get("error"):
            return  # The service's error in the shape of a message; the result line tells it again.
        message = line["message"]
        if message["id"] not in self._messages:
            self._messages[message["id"]] = 0
            self.turn += 1
        for block in message["content"]:
            yield from self._block(message["id"], block)

    def _block(self, message_id: str, block: dict[str, Any]) -> Iterator[AgentEvent]:
        if block["type"] == "text":
            number = self._messages.get(message_id, 0)
            self._messages[message_id] = number + 1
            yield from self.say(f"{message_id}.{number}", block["text"])
        elif block["type"] == "tool_use":
            self.open_calls[block["id"]] = block["name"]
            yield ToolStarted(call_id=block["id"], tool=block["name"], input=block["input"], turn=self.turn)

    def _user(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        content = line["message"]["content"]
        for block in content if isinstance(content, list) else []:
            if block.get("type") != "tool_result":
                continue
            if self.open_calls.pop(block["tool_use_id"], None) is None:
                yield Notice(text=NO_SUCH_CALL, level="warning")
            else:
                text = _text(block.get("content"))
                failed = bool(block.get("is_error"))
                yield ToolFinished(
                    call_id=block["tool_use_id"],
                    status="error" if failed else "complete",
                    output=None if failed else {"content": text},
                    error=text if failed else None,
                )

    def _delta(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        event = line["event"]
        if event["type"] == "message_start":
            self._streaming = event["message"]["id"]
        elif event["type"] == "content_block_delta" and event["delta"]["type"] == "text_delta":
            number = self._messages.get(self._streaming, 0)
            yield TextDelta(message_id=f"{self._streaming}.{number}", text=event["delta"]["text"])

    def _result(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        tokens: dict[str, Any] = claude_tokens(line.get("usage"))
        self.usage = Usage(**tokens, cost_usd=line.get("total_cost_usd"))
        yield self.usage
        if line.get("is_error"):
            self.error = line.get("result") or "; ".join(line.get("errors") or []) or str(line.get("subtype"))
            self.error_type = claude_error_type(line.get("subtype"), line.get("terminal_reason"))
            yield Notice(text=self.error, level="error")
        else:
            self.result = line.get("result") or self.result


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")
