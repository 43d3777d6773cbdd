"""What a piece of a tool call tells of its files, its output and its failure, in the words of several programs."""

import json
from typing import Any

_PATHS = ("file_path", "filePath", "filepath", "notebook_path", "path", "absolute_path")


def paths_of(told: dict[str, Any]) -> list[str]:
    """The files that a call is about: from its input, else from its diffs and locations."""
    raw = told.get("rawInput")
    if isinstance(raw, dict):
        named = [raw[name] for name in _PATHS if isinstance(raw.get(name), str)]
        if named:
            return named[:1]
    content = [part for part in told.get("content") or [] if isinstance(part, dict) and part.get("type") == "diff"]
    places = [place for place in told.get("locations") or [] if isinstance(place, dict)]
    return list(dict.fromkeys(str(each["path"]) for each in (*content, *places) if each.get("path")))


def output_of(told: dict[str, Any]) -> dict[str, Any] | None:
    """What came out of a call so far; None where this piece tells nothing of it."""
    response = _claude(told).get("toolResponse")
    if isinstance(response, dict):  # `originalFile` is the whole file as it was: git has it.
        return {key: value for key, value in response.items() if key != "originalFile"}
    if response is not None:
        return {"content": str(response)}
    raw = told.get("rawOutput")
    if isinstance(raw, dict):
        return raw
    text = raw if isinstance(raw, str) else text_of(told.get("content"))
    return {"content": text} if text and told.get("status") else None


def failure_of(told: dict[str, Any], output: dict[str, Any] | None) -> str | None:
    """Why a call that has ended failed, or None. A command's exit code counts, whatever the program calls the end."""
    output = output or {}
    metadata = output.get("metadata")
    code = metadata.get("exit") if isinstance(metadata, dict) else output.get("exit_code")
    if told.get("status") != "failed" and not (isinstance(code, int) and code):
        return None
    said = output.get("error") or output.get("output") or output.get("content") or text_of(told.get("content"))
    words = said if isinstance(said, str) else json.dumps(said) if said else "failed"
    return f"Exit code {code}\n{words}" if isinstance(code, int) and code else words


def text_of(content: Any) -> str:
    """The words in the content of a call or a message; what is no text is named."""
    parts = content if isinstance(content, list) else [content]
    return "\n".join(text for part in parts if isinstance(part, dict) and (text := _text(part)))


def _text(part: dict[str, Any]) -> str:
    if part.get("type") == "content" and isinstance(part.get("content"), dict):
        return _text(part["content"])
    if part.get("type") in ("text", None):
        return str(part.get("text") or "")
    return "" if part.get("type") == "diff" else f"[{part.get('type')}]"


def _claude(told: dict[str, Any]) -> dict[str, Any]:
    meta = told.get("_meta")
    found = meta.get("claudeCode") if isinstance(meta, dict) else None
    return found if isinstance(found, dict) else {}
