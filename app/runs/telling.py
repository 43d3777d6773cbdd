"""Short forms of tool calls: one line for a card, a bounded preview for a session event."""

from typing import Any

#: Characters of one string in a session event; the whole stands in the audit log.
PREVIEW = 6_000
ACTIVITY = 200

#: The argument that says most about a call, by tool input key.
_TELLING = ("command", "file_path", "path", "pattern", "url", "query", "description", "prompt")


def activity_line(tool: str, arguments: dict[str, Any]) -> str:
    """Tool and its telling argument, one line."""
    return f"{tool} {argument_line(arguments)}".strip()[:ACTIVITY]


def argument_line(arguments: dict[str, Any]) -> str:
    """The argument that says most, on one line."""
    for key in _TELLING:
        value = arguments.get(key)
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
    return " ".join(str(value) for value in list(arguments.values())[:3])


def preview(value: Any) -> Any:
    """A JSON document with its long strings cut; says how much is missing."""
    if isinstance(value, str):
        cut = len(value) - PREVIEW
        return value if cut <= 0 else f"{value[:PREVIEW]}\n… {cut} more characters"
    if isinstance(value, dict):
        return {key: preview(item) for key, item in value.items()}
    if isinstance(value, list):
        return [preview(item) for item in value[:200]]
    return value
