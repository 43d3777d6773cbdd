"""`opencode run --format json`: steps of parts; a tool call is told once, when it has ended."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.runners.base import AgentEvent, Notice, ToolFinished, ToolStarted, Usage
from app.runners.lines.base import JsonLines, ignore


class OpencodeLines(JsonLines):
    name = "opencode"

    @staticmethod
    def recognises(line: Mapping[str, Any]) -> bool:
        return isinstance(line.get("sessionID"), str) and isinstance(line.get("type"), str)

    def kinds(self) -> Mapping[str, Callable[[dict[str, Any]], Iterator[AgentEvent]]]:
        return {
            "step_start": self._step_start,
            "text": self._text,
            "reasoning": ignore,
            "tool_use": self._tool_use,
            "step_finish": self._step_finish,
            "error": self._error,
        }

    def read(self, line: dict[str, Any]) -> list[AgentEvent]:
        self.native_session_id = line.get("sessionID") or self.native_session_id
        return super().read(line)

    def _step_start(self, _line: dict[str, Any]) -> Iterator[AgentEvent]:
        self.turn += 1
        return iter(())

    def _text(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        yield from self.say(line["part"]["id"], line["part"]["text"])

    def _tool_use(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        part = line["part"]
        state = part["state"]
        failed = state["status"] == "error"
        took = state.get("time") or {}
        yield ToolStarted(call_id=part["callID"], tool=part["tool"], input=state.get("input") or {}, turn=self.turn)
        yield ToolFinished(
            call_id=part["callID"],
            status="error" if failed else "complete",
            output={"content": state.get("output")} if "output" in state else None,
            error=str(state.get("error") or "failed") if failed else None,
            duration_ms=round(took["end"] - took["start"]) if {"start", "end"} <= took.keys() else None,
        )

    def _step_finish(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        tokens = line["part"].get("tokens") or {}
        cache = tokens.get("cache") or {}
        came_in = (tokens.get("input") or 0) + (cache.get("read") or 0) + (cache.get("write") or 0)
        self.usage = Usage(
            input_tokens=(self.usage.input_tokens or 0) + came_in,
            output_tokens=(self.usage.output_tokens or 0) + (tokens.get("output") or 0),
            cost_usd=(self.usage.cost_usd or 0) + (line["part"].get("cost") or 0),
        )
        yield self.usage

    def _error(self, line: dict[str, Any]) -> Iterator[AgentEvent]:
        said = line.get("error") or {}
        self.error = str((said.get("data") or {}).get("message") or said.get("name") or "The run failed.")
        self.error_type = "api_error"
        yield Notice(text=self.error, level="error")
