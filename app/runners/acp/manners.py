"""How each program is brought to ask before it acts, so that our rules decide and not its own.

The protocol has no word for it. Where a program has modes, one that asks is chosen; what else it needs is told through
its environment or in the notes of a request. What is not meant for a program is not read by it.
"""

import json
from typing import Any

from app.runners.base import RunSpec
from app.runners.claude.options import DEFAULT_ENV as CLAUDE_ENV

#: Ours, where the caller set nothing else. A repository's own settings of opencode could start programs.
DEFAULT_ENV = {
    **CLAUDE_ENV,
    "OPENCODE_PERMISSION": json.dumps(
        {"*": "ask", **dict.fromkeys(("read", "edit", "bash", "glob", "grep", "webfetch", "websearch", "task"), "ask")}
    ),
    "OPENCODE_DISABLE_PROJECT_CONFIG": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
}
#: Ids of modes in which programs ask, the most usual first; and of those in which they do not.
_ASKING = ("default", "ask", "manual", "read-only")
_UNASKING = ("auto", "acceptEdits", "bypassPermissions", "yolo", "autoEdit", "full-access", "agent-full-access")


def session_notes(spec: RunSpec, tools: list[str]) -> dict[str, Any]:
    """`_meta` of a request for a session; claude-agent-acp reads it, with the options of the Claude Agent SDK."""
    options: dict[str, Any] = {
        "settingSources": [],  # The repository's own settings could start programs.
        "strictMcpConfig": True,
        "verbatimPrompts": True,
        "promptSuggestions": False,
        "title": "AgentPane",  # Else it asks a model for one.
        "tools": tools,
        "settings": {"permissions": {"ask": tools}},
    }
    return {"claudeCode": {"options": options | ({"model": spec.model} if spec.model else {})}}


def asking_mode(modes: Any) -> tuple[str | None, str]:
    """The mode to choose, if another one than now, and a warning where the program does not ask in any."""
    if not isinstance(modes, dict):
        return None, ""
    current = modes.get("currentModeId")
    ids = [mode.get("id") for mode in modes.get("availableModes") or [] if isinstance(mode, dict)]
    found = next((mode for mode in _ASKING if mode in ids), None)
    if current in _ASKING or (found is None and current not in _UNASKING):
        return None, ""
    if found is None:
        return None, f"The program works in its mode '{current}', in which it does not ask before it acts."
    return found, ""
