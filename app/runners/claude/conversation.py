"""Turn what the SDK reports (messages and hooks) into events. Pure: nothing here waits or starts anything."""

from typing import TYPE_CHECKING, Any, Literal

from app.runners.base import (
    AgentEvent,
    Message,
    Notice,
    Retry,
    Started,
    TextDelta,
    ToolFinished,
    ToolRunning,
    ToolStarted,
    Usage,
)
from app.runners.lines.base import NO_SUCH_CALL
from app.runners.outcomes import claude_tokens
from app.runners.permissions import Permissions
from app.runners.recent import Recent

if TYPE_CHECKING:
    from claude_agent_sdk import AssistantMessage, ResultMessage, UserMessage


class Conversation:
    """One run's exchange with the program, message by message."""

    def __init__(self, permissions: Permissions, turns_before: int = 0, usage_before: Usage | None = None) -> None:
        self._permissions = permissions
        self.native_session_id: str | None = None
        #: What results have told, and what messages have told since, by their ids.
        self._told = self._usage_before = usage_before or Usage()
        self._since: dict[str, dict[str, int | None]] = {}
        #: Model turns: the API calls whose answer came, told by their message id.
        self.turns = turns_before
        self.result: ResultMessage | None = None
        self.result_text: str | None = None
        self._texts: dict[str, int] = Recent()
        self._streaming = ("", -1)
        self._open: dict[str, str] = Recent()
        self._closed: dict[str, bool] = Recent()

    @property
    def usage(self) -> Usage:
        """Tokens and money so far. Results tell of a whole prompt; until they come, the messages do."""
        if not self._since:
            return self._told
        since = self._told_since()
        sums: dict[str, Any] = {name: _sum(getattr(self._told, name), since[name]) for name in _TOKENS}
        return Usage(cost_usd=self._told.cost_usd, is_partial=True, **sums)

    def _told_since(self) -> dict[str, int | None]:
        told = {name: [count for each in self._since.values() if (count := each[name]) is not None] for name in _TOKENS}
        return {name: sum(counts) if counts else None for name, counts in told.items()}

    def read(self, message: object) -> list[AgentEvent]:
        """The events of one message of the SDK; kinds that tell nothing give none."""
        kind = type(message).__name__
        reader = getattr(self, f"_read_{kind}", None)
        return reader(message) if reader else []

    def before_tool(self, hook: dict[str, Any]) -> list[AgentEvent]:
        """The call that is about to run, or to be refused."""
        return self._open_call(hook["tool_use_id"], hook["tool_name"], hook["tool_input"])

    def decided(self, call_id: str, refusal: str) -> list[AgentEvent]:
        """What follows from the decision about a call; an empty `refusal` lets it run."""
        return self._close(call_id, "denied", error=refusal) if refusal else [ToolRunning(call_id=call_id)]

    def after_tool(self, hook: dict[str, Any]) -> list[AgentEvent]:
        """The end of a call, as the program itself measured it."""
        events = self._open_call(hook["tool_use_id"], hook["tool_name"], hook["tool_input"])
        error = hook.get("error")
        output = None if error else _as_output(hook.get("tool_response"))
        took = hook.get("duration_ms")
        status: Literal["complete", "error"] = "error" if error else "complete"
        return [*events, *self._close(hook["tool_use_id"], status, output, error, took)]

    def close_open_calls(self) -> list[AgentEvent]:
        """What was still running when everything ended."""
        return [event for call_id in list(self._open) for event in self._close(call_id, "error", error="interrupted")]

    def started(self, data: dict[str, Any], pid: int | None, ticks: int | None) -> Started:
        """The first event, from the program's own introduction."""
        self.native_session_id = data.get("session_id")
        return Started(
            native_session_id=self.native_session_id,
            model=data.get("model"),
            tools=tuple(data.get("tools") or ()),
            pid=pid,
            start_ticks=ticks,
        )

    def _read_AssistantMessage(self, message: "AssistantMessage") -> list[AgentEvent]:  # noqa: N802 - the SDK's name
        if message.error:
            return []  # The service's error in the shape of a message; the result tells it again.
        message_id = message.message_id or message.uuid or ""
        self._count_turn(message_id, message.parent_tool_use_id)
        return [event for block in message.content for event in self._block(message_id, block)]

    def _uses(self, message_id: str, told: dict[str, Any] | None) -> list[AgentEvent]:
        """What one message has used by now: it begins with its input, and ends with its output."""
        if not told or not message_id:
            return []
        before = self._since.get(message_id)
        now = claude_tokens(told)
        if before is not None:  # Its end repeats of its input what it likes.
            now = {**before, "output_tokens": max(now["output_tokens"] or 0, before["output_tokens"] or 0)}
        self._since[message_id] = now
        return [self.usage]

    def _read_UserMessage(self, message: "UserMessage") -> list[AgentEvent]:  # noqa: N802
        blocks = message.content if isinstance(message.content, list) else []
        return [event for block in blocks if hasattr(block, "tool_use_id") for event in self._tool_result(block)]

    def _read_StreamEvent(self, message: Any) -> list[AgentEvent]:  # noqa: N802
        event = message.event
        message_id, number = self._streaming
        if event.get("type") == "message_start":
            self._streaming = (event["message"]["id"], -1)
            self._uses(event["message"]["id"], event["message"].get("usage"))
        elif event.get("type") == "message_delta":
            return self._uses(message_id, event.get("usage"))
        elif event.get("type") == "content_block_start" and event["content_block"]["type"] == "text":
            self._streaming = (message_id, number + 1)
        elif event.get("type") == "content_block_delta" and event["delta"].get("type") == "text_delta":
            return [TextDelta(message_id=f"{message_id}.{number}", text=event["delta"]["text"])]
        return []

    def _read_SystemMessage(self, message: Any) -> list[AgentEvent]:  # noqa: N802
        data = message.data
        if message.subtype == "api_retry":
            return [
                Retry(
                    attempt=data.get("attempt") or 0,
                    max_attempts=data.get("max_retries"),
                    delay_ms=round(data.get("retry_delay_ms") or 0),
                    status=data.get("error_status"),
                    error=str(data.get("error") or ""),
                )
            ]
        if message.subtype == "compact_boundary":
            return [Notice(text="The conversation had grown long and was summarised by the program.")]
        return []

    def _read_RateLimitEvent(self, message: Any) -> list[AgentEvent]:  # noqa: N802
        status = message.rate_limit_info.status
        return [] if status == "allowed" else [Notice(text=f"Rate limit of the account: {status}.", level="warning")]

    def _read_ResultMessage(self, message: "ResultMessage") -> list[AgentEvent]:  # noqa: N802
        self.result = message
        self.native_session_id = message.session_id or self.native_session_id
        self.result_text = message.result if message.result and not message.is_error else self.result_text
        tokens, since = claude_tokens(message.usage), self._told_since()
        most = {name: _greater(tokens[name], since[name]) for name in _TOKENS}  # One that was cut off tells nothing.
        sums: dict[str, Any] = {name: _sum(getattr(self._told, name), most[name]) for name in _TOKENS}
        self._since.clear()
        # Tokens are told for each prompt, money for the whole process.
        self._told = Usage(cost_usd=self._cost(message, sums["output_tokens"] or 0), **sums)
        return [self.usage]

    def _cost(self, message: "ResultMessage", written: int) -> float | None:
        """A program that goes on with a conversation mostly counts on from there; one that forgot begins at nothing."""
        told, before = message.total_cost_usd, self._usage_before.cost_usd
        counted = sum(int(each.get("outputTokens") or 0) for each in (message.model_usage or {}).values())
        return told if told is None or before is None or counted >= written else told + before

    def _count_turn(self, message_id: str, parent_tool_use_id: str | None) -> None:
        if message_id not in self._texts:
            self._texts[message_id] = 0
            self.turns += parent_tool_use_id is None

    def _block(self, message_id: str, block: Any) -> list[AgentEvent]:
        if type(block).__name__ == "TextBlock" and block.text.strip():
            number = self._texts.get(message_id, 0)
            self._texts[message_id] = number + 1
            self.result_text = block.text
            return [Message(message_id=f"{message_id}.{number}", text=block.text, turn=self.turns)]
        if type(block).__name__ == "ToolUseBlock":
            return self._open_call(block.id, block.name, block.input)
        return []

    def _tool_result(self, block: Any) -> list[AgentEvent]:
        """The end of a call that no hook told: refused by the program itself, or cut."""
        tool = self._open.get(block.tool_use_id)
        if tool is None and block.tool_use_id not in self._closed:
            return [Notice(text=NO_SUCH_CALL, level="warning")]
        if tool is None:
            return []
        text = _as_text(block.content)
        if not block.is_error:
            return self._close(block.tool_use_id, "complete", {"content": text})
        status: Literal["denied", "error"] = "error" if tool in self._permissions.tools else "denied"
        return self._close(block.tool_use_id, status, error=text)

    def _open_call(self, call_id: str, tool: str, given: dict[str, Any]) -> list[AgentEvent]:
        """Messages and hooks come by two ways: whichever tells of a call first opens it."""
        if call_id in self._open or call_id in self._closed:
            return []
        self._open[call_id] = tool
        return [ToolStarted(call_id=call_id, tool=tool, input=given, turn=self.turns)]

    def _close(
        self,
        call_id: str,
        status: Literal["complete", "error", "denied"],
        output: dict[str, Any] | None = None,
        error: str | None = None,
        duration_ms: int | None = None,
    ) -> list[AgentEvent]:
        if self._open.pop(call_id, None) is None:
            return []
        self._closed[call_id] = True
        return [ToolFinished(call_id=call_id, status=status, output=output, error=error, duration_ms=duration_ms)]


_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


def _as_output(response: Any) -> dict[str, Any]:
    if isinstance(response, dict):  # `originalFile` is the whole file as it was: git has it.
        return {key: value for key, value in response.items() if key != "originalFile"}
    return {"content": _as_text(response)}


def _as_text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def _greater(one: int | None, other: int | None) -> int | None:
    return max((count for count in (one, other) if count is not None), default=None)


def _sum(before: int | None, more: int | None) -> int | None:
    return before if more is None else (before or 0) + more
