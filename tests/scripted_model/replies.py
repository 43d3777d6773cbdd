"""Answers in the wire format of Anthropic's messages, as a stream of events or as one document."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from tests.scripted_model.calls import call_of
from tests.scripted_model.requests import Asked
from tests.scripted_model.scenarios import Hang, Say, SlowText, Step

#: What every answer costs, so that a test can add up.
INPUT_TOKENS, CACHE_READ_TOKENS, CACHE_WRITE_TOKENS, OUTPUT_TOKENS = 1000, 50, 10, 42


def stream(asked: Asked) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of one answer, by name; an empty name is a comment that keeps the connection alive."""
    yield "message_start", {"message": {**_envelope(asked), "content": [], "stop_reason": None, "usage": _usage(1)}}
    steps = introduced(asked.steps)
    for index, step in enumerate(steps):
        yield from _text(index, step) if is_text(step) else _tool_call(index, step, asked)
        yield "content_block_stop", {"index": index}
    delta = {"stop_reason": _stop_reason(steps), "stop_sequence": None}
    yield "message_delta", {"delta": delta, "usage": {"output_tokens": OUTPUT_TOKENS}}
    yield "message_stop", {}


def whole(asked: Asked) -> dict[str, Any]:
    """The same answer in one piece."""
    content = [
        {"type": "text", "text": step.text} if isinstance(step, Say) else _call(step, asked)
        for step in introduced(asked.steps)
    ]
    return {**_envelope(asked), "content": content, "stop_reason": _stop_reason(asked.steps), "usage": _usage()}


def introduced(steps: list[Step]) -> list[Step]:
    """Calls come after a word of explanation, as models do it."""
    return steps if is_text(steps[0]) else [Say("I call a tool."), *steps]


def is_text(step: Step) -> bool:
    """Whether the step is words, quick or slow."""
    return isinstance(step, Say | SlowText | Hang)


def pieces(step: Step) -> Iterator[str]:
    """The words of a step as they come; an empty piece is a pause in which the connection is kept alive."""
    match step:
        case Say(text):
            yield from text.splitlines(keepends=True)
        case SlowText(words, pause_s):
            for number in range(words):
                time.sleep(pause_s)
                yield f"word{number} "
        case Hang(seconds):
            yield "Thinking…"
            for _ in range(int(seconds * 2)):
                time.sleep(0.5)
                yield ""


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
    return "end_turn" if is_text(steps[-1]) else "tool_use"


def _text(index: int, step: Step) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "content_block_start", {"index": index, "content_block": {"type": "text", "text": ""}}
    for piece in pieces(step):
        delta = {"type": "text_delta", "text": piece}
        yield ("content_block_delta", {"index": index, "delta": delta}) if piece else ("", {})


def _tool_call(index: int, step: Step, asked: Asked) -> Iterator[tuple[str, dict[str, Any]]]:
    block = _call(step, asked)
    yield "content_block_start", {"index": index, "content_block": {**block, "input": {}}}
    text = json.dumps(block["input"])
    for start in range(0, len(text), 400):
        delta = {"type": "input_json_delta", "partial_json": text[start : start + 400]}
        yield "content_block_delta", {"index": index, "delta": delta}


def _call(step: Step, asked: Asked) -> dict[str, Any]:
    name, given = call_of(step, asked)
    return {"type": "tool_use", "id": _id("toolu"), "name": name, "input": given}


def _id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex[:22]}"
