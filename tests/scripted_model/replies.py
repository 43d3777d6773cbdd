"""Answers in the wire format of Anthropic's messages, as a stream of events or as one document."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from tests.scripted_model.requests import Asked
from tests.scripted_model.scenarios import Bash, Call, Edit, Hang, Read, Say, SlowText, Step, Write

#: What every answer costs, so that a test can add up.
INPUT_TOKENS, CACHE_READ_TOKENS, CACHE_WRITE_TOKENS, OUTPUT_TOKENS = 1000, 50, 10, 42


def stream(asked: Asked) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of one answer, by name; an empty name is a comment that keeps the connection alive."""
    yield "message_start", {"message": {**_envelope(asked), "content": [], "stop_reason": None, "usage": _usage(1)}}
    steps = _introduced(asked.steps)
    for index, step in enumerate(steps):
        yield from _text(index, step) if isinstance(step, Say | SlowText | Hang) else _tool_call(index, step, asked)
        yield "content_block_stop", {"index": index}
    delta = {"stop_reason": _stop_reason(steps), "stop_sequence": None}
    yield "message_delta", {"delta": delta, "usage": {"output_tokens": OUTPUT_TOKENS}}
    yield "message_stop", {}


def whole(asked: Asked) -> dict[str, Any]:
    """The same answer in one piece."""
    content = [
        {"type": "text", "text": step.text}
        if isinstance(step, Say)
        else {"type": "tool_use", "id": _id("toolu"), "name": _tool(step), "input": _input(step, asked)}
        for step in _introduced(asked.steps)
    ]
    return {**_envelope(asked), "content": content, "stop_reason": _stop_reason(asked.steps), "usage": _usage()}


def _introduced(steps: list[Step]) -> list[Step]:
    return steps if isinstance(steps[0], Say | SlowText | Hang) else [Say("I call a tool."), *steps]


def _envelope(asked: Asked) -> dict[str, Any]:
    return {"id": _id("msg"), "type": "message", "role": "assistant", "model": asked.model, "stop_sequence": None}


def _usage(output_tokens: int = OUTPUT_TOKENS) -> dict[str, int]:
    return {
        "input_tokens": INPUT_TOKENS,
        "cache_read_input_tokens": CACHE_READ_TOKENS,
        "cache_creation_input_tokens": CACHE_WRITE_TOKENS,
        "output_tokens": output_tokens,
    }


def _stop_reason(steps: list[Step]) -> str:
    return "end_turn" if isinstance(steps[-1], Say | SlowText | Hang) else "tool_use"


def _text(index: int, step: Say | SlowText | Hang) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "content_block_start", {"index": index, "content_block": {"type": "text", "text": ""}}
    for piece in _pieces(step):
        delta = {"type": "text_delta", "text": piece}
        yield ("content_block_delta", {"index": index, "delta": delta}) if piece else ("", {})


def _pieces(step: Say | SlowText | Hang) -> Iterator[str]:
    if isinstance(step, Say):
        yield from step.text.splitlines(keepends=True)
    elif isinstance(step, SlowText):
        for number in range(step.words):
            time.sleep(step.pause_s)
            yield f"word{number} "
    else:
        yield "Thinking…"
        for _ in range(int(step.seconds * 2)):
            time.sleep(0.5)
            yield ""


def _tool_call(index: int, step: Step, asked: Asked) -> Iterator[tuple[str, dict[str, Any]]]:
    block = {"type": "tool_use", "id": _id("toolu"), "name": _tool(step), "input": {}}
    yield "content_block_start", {"index": index, "content_block": block}
    text = json.dumps(_input(step, asked))
    for start in range(0, len(text), 400):
        delta = {"type": "input_json_delta", "partial_json": text[start : start + 400]}
        yield "content_block_delta", {"index": index, "delta": delta}


def _tool(step: Step) -> str:
    return step.tool if isinstance(step, Call) else type(step).__name__


def _input(step: Step, asked: Asked) -> dict[str, str]:
    def path(name: str) -> str:
        return f"{asked.cwd}/{name}" if asked.cwd and not name.startswith("/") else name

    match step:
        case Write(name, content):
            return {"file_path": path(name), "content": content.replace("{prompt}", asked.prompt)}
        case Edit(name, old, new):
            return {"file_path": path(name), "old_string": old, "new_string": new}
        case Read(name):
            return {"file_path": path(name)}
        case Bash(command):
            return {"command": command, "description": "Run a command"}
        case Call(_, given):
            return dict(given)
    raise TypeError(step)


def _id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex[:22]}"
