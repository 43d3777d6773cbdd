"""Answers in the wire formats of OpenAI, always as streams: that is how every program asks for them."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from tests.scripted_model.calls import call_of
from tests.scripted_model.replies import (
    CACHE_READ_TOKENS,
    CACHE_WRITE_TOKENS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    introduced,
    is_text,
    pieces,
)
from tests.scripted_model.requests import Asked

#: Cached tokens are part of the input here; the sum is the same as in Anthropic's words.
_INPUT = INPUT_TOKENS + CACHE_READ_TOKENS + CACHE_WRITE_TOKENS


def chat(asked: Asked) -> Iterator[str]:
    """The lines of `/v1/chat/completions`; an empty one keeps the connection alive."""
    envelope = {"id": _id("chatcmpl"), "object": "chat.completion.chunk", "created": int(time.time())}

    def chunk(delta: dict[str, Any], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return json.dumps({**envelope, "model": asked.model, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    called = 0
    for step in introduced(asked.steps):
        if is_text(step):
            yield from (chunk({"content": piece}) if piece else "" for piece in pieces(step))
            continue
        name, given = call_of(step, asked)
        call = {"index": called, "id": _id("call"), "type": "function"}
        yield chunk({"tool_calls": [{**call, "function": {"name": name, "arguments": json.dumps(given)}}]})
        called += 1
    yield chunk({}, "tool_calls" if called else "stop")
    usage = {
        "prompt_tokens": _INPUT,
        "prompt_tokens_details": {"cached_tokens": CACHE_READ_TOKENS},
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": _INPUT + OUTPUT_TOKENS,
    }
    yield json.dumps({**envelope, "model": asked.model, "choices": [], "usage": usage})
    yield "[DONE]"


def responses(asked: Asked) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of `/v1/responses`, by name; an empty name keeps the connection alive."""
    response = {"id": _id("resp"), "object": "response", "created_at": int(time.time()), "model": asked.model}
    yield "response.created", {"response": {**response, "status": "in_progress", "output": []}}
    done = []
    for index, step in enumerate(introduced(asked.steps)):
        if is_text(step):
            item = yield from _said(index, pieces(step))
        else:
            name, given = call_of(step, asked)
            ids = {"id": _id("fc"), "call_id": _id("call")}
            item = {**ids, "type": "function_call", "status": "completed", "name": name, "arguments": json.dumps(given)}
            yield "response.output_item.added", {"output_index": index, "item": item}
        yield "response.output_item.done", {"output_index": index, "item": item}
        done.append(item)
    usage = {
        "input_tokens": _INPUT,
        "input_tokens_details": {"cached_tokens": CACHE_READ_TOKENS},
        "output_tokens": OUTPUT_TOKENS,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": _INPUT + OUTPUT_TOKENS,
    }
    yield "response.completed", {"response": {**response, "status": "completed", "output": done, "usage": usage}}


def _said(index: int, texts: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    item = {"id": _id("msg"), "type": "message", "role": "assistant"}
    place = {"item_id": item["id"], "output_index": index, "content_index": 0}
    yield (
        "response.output_item.added",
        {"output_index": index, "item": {**item, "status": "in_progress", "content": []}},
    )
    whole = ""
    for piece in texts:
        whole += piece
        yield ("response.output_text.delta", {**place, "delta": piece}) if piece else ("", {})
    content = [{"type": "output_text", "text": whole, "annotations": []}]
    return {**item, "status": "completed", "content": content}


def _id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex[:22]}"
