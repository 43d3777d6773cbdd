"""From a stored question to what is shown of it. All of it is the agent's words, and nothing of it is trusted."""

from typing import Any

import msgspec

from app.permissions.rows import PermissionRow
from app.permissions.views import CallView, PermissionView
from app.web.diffs import render_change
from app.web.hidden import name_hidden

#: Characters of a call that are shown, and of its one line.
LONGEST = 20_000
LINE = 200
MAX_ROWS = 200

_VERBS = {
    "Bash": "run a command",
    "Command": "start its program",
    "Edit": "change a file",
    "MultiEdit": "change a file",
    "NotebookEdit": "change a notebook",
    "Write": "write a file",
    "Read": "read a file",
    "WebFetch": "fetch a page",
    "WebSearch": "search the web",
}
_TELLING = ("command", "file_path", "notebook_path", "path", "url", "pattern", "query", "description", "prompt")
_EDITED = ("old_string", "new_string", "file_path")


def permission_view(request: PermissionRow, agent_name: str) -> PermissionView:
    """The view of one question, which an agent of that name asked."""
    return PermissionView(
        id=request.id,
        status=request.status,
        agent_name=agent_name,
        tool=name_hidden(request.tool),
        line=request.line,
        call=call_view(request.tool, request.input),
        rule=request.rule,
        why=request.why,
        asked_at=request.asked_at,
        answered_at=request.answered_at,
        answered_by=request.answered_by or "",
        note=request.note or "",
        audit_id=request.audit_id or "",
        session_id=request.session_id,
        scope="task" if request.task_id else "conversation",
        waits=request.waits_since is not None,
    )


def call_view(tool: str, given: dict[str, Any]) -> CallView:
    """A call with its whole input: an edit as a difference, a command as it would run, the rest name by name."""
    verb = _VERBS.get(tool, f"use {name_hidden(tool)}")
    if tool == "Edit" and all(isinstance(given.get(name), str) for name in _EDITED):
        diff = render_change(given["old_string"], given["new_string"], given["file_path"], MAX_ROWS)
        rest = {name: value for name, value in given.items() if name not in ("old_string", "new_string")}
        return CallView(verb=verb, text=name_hidden(_by_name(rest)), diff=diff)
    whole = _command(given) if tool in ("Bash", "Command") else _by_name(given)
    return CallView(verb=verb, text=name_hidden(whole[:LONGEST]), cut=max(0, len(whole) - LONGEST))


def call_line(tool: str, given: dict[str, Any]) -> str:
    """A call on one line: its tool, and the argument that says most."""
    texts = [given[name] for name in _TELLING if isinstance(given.get(name), str)]
    text = " ".join(f"{tool} {texts[0] if texts else _by_name(given)}".split())
    return name_hidden(text if len(text) <= LINE else text[: LINE - 1] + "…")


def _command(given: dict[str, Any]) -> str:
    rest = {name: value for name, value in given.items() if name not in ("command", "description")}
    return "\n".join(filter(None, [str(given.get("command", "")), _by_name(rest)]))


def _by_name(given: dict[str, Any]) -> str:
    return "\n".join(f"{name}:{_value(value)}" for name, value in given.items())


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f" {text}" if "\n" not in text else "\n" + "\n".join(f"    {line}" for line in text.split("\n"))
