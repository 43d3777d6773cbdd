"""What the tools of other programs are called by our rules, which speak of Claude Code's, and how they name the same
arguments."""

import re
import shlex
from typing import Any

#: By the name in small letters.
BY_NAME = {
    "bash": "Bash",
    "shell": "Bash",
    "run_shell_command": "Bash",
    "exec_command": "Bash",
    "shell_command": "Bash",
    "write": "Write",
    "write_file": "Write",
    "edit": "Edit",
    "replace": "Edit",
    "patch": "Edit",
    "apply_patch": "Edit",
    "file_change": "Edit",
    "read": "Read",
    "read_file": "Read",
    "glob": "Glob",
    "grep": "Grep",
    "webfetch": "WebFetch",
    "websearch": "WebSearch",
    "task": "Task",
    "todowrite": "TodoWrite",
}
#: What a hook or an output of a program calls a tool that changes something or reaches out.
ACTING = {"Bash", "Edit", "Write", "WebFetch"}
_PATHS = ("file_path", "filePath", "absolute_path", "path")
_IN_PATCH = re.compile(r"^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+)$", re.MULTILINE)


def for_rules(tool: str, given: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Tool and arguments as our rules know them, once for each file that the call is about."""
    name = BY_NAME.get(tool.lower(), tool)
    if name == "Bash":
        return [(name, {**given, "command": command_of(given)})]
    if tool == "apply_patch":
        return [(name, {"file_path": path}) for path in _paths_in_patch(given)] or [(name, given)]
    if isinstance(given.get("changes"), list):  # As the output of Codex tells of a patch.
        paths = [str(each.get("path")) for each in given["changes"] if isinstance(each, dict)]
        return [("Edit", {"file_path": path}) for path in paths] or [("Edit", given)]
    path = next((given[key] for key in _PATHS if given.get(key)), None)
    return [(name, given if path is None else {**given, "file_path": path})]


def command_of(given: dict[str, Any]) -> str:
    """The command line of a call of a shell."""
    said = given.get("command") or given.get("cmd") or ""
    return shlex.join(map(str, said)) if isinstance(said, list) else str(said)


def _paths_in_patch(given: dict[str, Any]) -> list[str]:
    patch = next((each for each in (given.get("command"), given.get("input")) if isinstance(each, str)), "")
    return [found.strip() for found in _IN_PATCH.findall(patch)]
