"""What the tools of other programs are called, for the record and for our rules, which speak of Claude Code's tools."""

import re
import shlex
from typing import TYPE_CHECKING, Any

from app.runners.tool_names import BY_NAME

if TYPE_CHECKING:
    from app.runners.acp.calls import Call

_BARE_WORD = re.compile(r"[A-Za-z][\w.-]{0,79}")
#: The protocol's kinds of tools and ours, the first where the name says no more.
_BY_KIND = {
    "execute": ("Bash",),
    "edit": ("Edit", "Write", "MultiEdit", "NotebookEdit"),
    "delete": ("Edit",),
    "move": ("Edit",),
    "read": ("Read",),
    "search": ("Grep", "Glob", "WebSearch"),
    "fetch": ("WebFetch", "WebSearch"),
}
#: What changes something or reaches out: not to be done without asking.
ACTING = {"execute", "edit", "delete", "move", "fetch"}


def tool_name(told: dict[str, Any]) -> str:
    """The program's own name for the tool of a call, where this piece tells it; else its kind, or nothing."""
    meta = told.get("_meta")
    claude = meta.get("claudeCode") if isinstance(meta, dict) else None
    named = claude.get("toolName") if isinstance(claude, dict) else None
    for name in (named, told.get("name"), told.get("title")):
        if isinstance(name, str) and _BARE_WORD.fullmatch(name):
            return name
    return str(told.get("kind") or "")[:80]


def for_rules(call: "Call") -> list[tuple[str, dict[str, Any]]]:
    """Tool and arguments as our rules know them, once for each file that the call is about."""
    tool = _tool(call)
    if tool == "Bash":
        return [(tool, {**call.input, "command": _command(call)})]
    if call.kind in ("edit", "delete", "move", "read") or tool in _BY_KIND["edit"]:
        return [(tool, {**call.input, "file_path": path}) for path in call.paths] or [(tool, call.input)]
    return [(tool, call.input)]


def _tool(call: "Call") -> str:
    fitting = _BY_KIND.get(call.kind)
    if fitting is None:
        return BY_NAME.get(call.tool.lower(), call.tool)
    name = BY_NAME.get(call.tool.lower(), call.tool)
    return name if name in fitting else fitting[0]


def _command(call: "Call") -> str:
    """Programs that tell no input call the call by its command."""
    said = call.input.get("command") or call.input.get("cmd") or ("" if call.input else call.title)
    return shlex.join(map(str, said)) if isinstance(said, list) else str(said)
