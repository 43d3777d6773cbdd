"""Read a request for a message: which scenario it is in, and at which step.

Everything is derived from the request and nothing is counted, since agents make side calls and try again.
"""

import re
from dataclasses import dataclass
from typing import Any

from tests.scripted_model.scenarios import FOLLOW_UPS, SCENARIOS, Call, Step, Steps

_SCENARIO = re.compile(r"SCENARIO:(\w+)")
#: Codex hands a long command back while it runs, to be asked about again.
_GOES_ON = re.compile(r"Process running with session ID (\d+)")
_WORKING_DIRECTORY = re.compile(r"working directory: *([^\n]+)", re.IGNORECASE)
_SAID_BY_PROGRAM = (
    "<system-reminder>",
    "[Request interrupted",
    "<local-command",
    "<environment_context>",
    "# AGENTS.md",
)


class UnknownScenario(Exception):
    """A prompt names a scenario that is not there."""


@dataclass
class Asked:
    """One request, understood."""

    model: str
    #: The tools that the program offers, each with the names of its arguments.
    tools: dict[str, set[str]]
    stream: bool
    #: The prompt that is being answered.
    prompt: str = ""
    #: The newest words of a person, whether they began a prompt or came while one was being answered.
    heard: str = ""
    scenario: str | None = None
    #: Tool results since that prompt.
    results: int = 0
    #: What the newest tool result says.
    told: str = ""
    #: The number of a command that the newest tool result says still runs.
    goes_on: int | None = None
    cwd: str | None = None
    is_follow_up: bool = False

    @property
    def steps(self) -> list[Step]:
        """What the model does now: one step, or several tool calls at once."""
        if self.goes_on is not None:
            return [Call("write_stdin", (("session_id", self.goes_on), ("chars", ""), ("yield_time_ms", 30_000)))]
        script = self._script
        done = self.results
        for step in script:
            together = step if isinstance(step, list) else [step]
            if done < len(together):
                return together
            done -= len(together)
        last = script[-1]
        return last if isinstance(last, list) else [last]

    @property
    def _script(self) -> Steps:
        if self.scenario is None or not self.tools:  # Titles and summaries are asked for without tools.
            return SCENARIOS["plain"]
        if self.is_follow_up:
            return FOLLOW_UPS.get(self.scenario, SCENARIOS["plain"])
        return SCENARIOS[self.scenario]


def understand(body: dict[str, Any]) -> Asked:
    """The scenario and step of an Anthropic `messages` request. Raises `UnknownScenario`."""
    asked = Asked(
        model=str(body.get("model")),
        tools={str(tool.get("name")): _arguments(tool) for tool in body.get("tools") or []},
        stream=bool(body.get("stream")),
        cwd=_working_directory(body),
    )
    answered = False
    for message in body.get("messages", []):
        blocks = _blocks(message)
        if message["role"] == "assistant":
            answered = any(block["type"] == "text" for block in blocks) and not _calls(blocks)
        elif message["role"] == "user":
            for block in blocks:
                _take(asked, block, answered)
            answered = answered and not _prompts(blocks)
    return asked


def _arguments(tool: dict[str, Any]) -> set[str]:
    return set((tool.get("input_schema") or {}).get("properties") or ())


def _take(asked: Asked, block: dict[str, Any], answered: bool) -> None:
    if block["type"] == "tool_result":
        asked.told = _said(block.get("content"))
        found = _GOES_ON.search(asked.told)
        asked.goes_on = int(found[1]) if found else None
        asked.results += found is None
    elif block["type"] == "text" and _is_prompt(block["text"]):
        asked.heard = block["text"]
        names = _SCENARIO.findall(block["text"])
        if names:
            asked.scenario = _known(names[-1])
        if names or answered:
            asked.prompt, asked.results, asked.is_follow_up = block["text"], 0, not names
            asked.goes_on = None


def _known(name: str) -> str:
    if name not in SCENARIOS:
        raise UnknownScenario(f"There is no SCENARIO:{name}; choose one of {', '.join(SCENARIOS)}.")
    return name


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _said(content: Any) -> str:
    parts = content if isinstance(content, list) else [{"text": content or ""}]
    return "\n".join(str(part.get("text", "")) for part in parts)


def _calls(blocks: list[dict[str, Any]]) -> bool:
    return any(block["type"] == "tool_use" for block in blocks)


def _prompts(blocks: list[dict[str, Any]]) -> bool:
    return any(block["type"] == "text" and _is_prompt(block["text"]) for block in blocks)


def _is_prompt(text: str) -> bool:
    return not text.lstrip().startswith(_SAID_BY_PROGRAM)


def _working_directory(body: dict[str, Any]) -> str | None:
    said = [{"role": "system", "content": body.get("system") or ""}, *body.get("messages", [])]
    blocks = [block for message in said if message["role"] == "system" for block in _blocks(message)]
    found = _WORKING_DIRECTORY.search("\n".join(str(block.get("text", "")) for block in blocks))
    return found[1].strip() if found else None
