"""Requests of OpenAI's two formats, told in Anthropic's words, so that one reader understands them all."""

import json
from typing import Any


def from_chat(body: dict[str, Any]) -> dict[str, Any]:
    """A request of `/v1/chat/completions`."""
    tools = [tool.get("function", tool) for tool in body.get("tools") or []]
    return {
        **{name: body.get(name) for name in ("model", "stream")},
        "tools": [_tool(tool.get("name"), tool.get("parameters")) for tool in tools],
        "messages": [_of_chat(message) for message in body.get("messages", [])],
    }


def from_responses(body: dict[str, Any]) -> dict[str, Any]:
    """A request of `/v1/responses`."""
    given = body.get("input") or []
    items = [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given
    return {
        **{name: body.get(name) for name in ("model", "stream")},
        "system": body.get("instructions"),
        "tools": [_tool(tool.get("name") or tool["type"], tool.get("parameters")) for tool in body.get("tools") or []],
        "messages": [_of_responses(item) for item in items],
    }


def _of_chat(message: dict[str, Any]) -> dict[str, Any]:
    if message["role"] == "tool":
        return _result(message.get("content"))
    calls = [_call(each["function"]["name"], each["function"]["arguments"]) for each in message.get("tool_calls") or []]
    return {"role": _role(message["role"]), "content": [*_texts(message.get("content")), *calls]}


def _of_responses(item: dict[str, Any]) -> dict[str, Any]:
    kind = item.get("type", "message")
    if kind.endswith("_output"):
        return _result(item.get("output"))
    if kind.endswith("_call"):
        return {"role": "assistant", "content": [_call(item.get("name"), item.get("arguments"))]}
    return {"role": _role(item.get("role", "assistant")), "content": _texts(item.get("content"))}


def _role(role: str) -> str:
    return "system" if role == "developer" else role


def _texts(content: Any) -> list[dict[str, Any]]:
    parts = [{"text": content}] if isinstance(content, str) else content or []
    return [{"type": "text", "text": part["text"]} for part in parts if part.get("text")]


def _call(name: Any, arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": "call", "name": name, "input": arguments}


def _result(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call", "content": json.dumps(content)}]}


def _tool(name: Any, schema: Any) -> dict[str, Any]:
    return {"name": name, "input_schema": schema}
