"""Which tool calls an agent may make. What is not allowed is refused before it runs, and nothing waits for a person.

An entry is a tool's name, or `Tool(what*)`: the call's main argument must be exactly `what`, or begin with it where a
star ends the pattern (`Bash(git diff:*)` means `git diff` and whatever follows it). A shell command that is more than
one plain command never matches a pattern, since what follows `;` or stands in `$(…)` would pass unseen.
`Edit` is the permission to change files: it includes `Write`, `MultiEdit` and `NotebookEdit`. `Bash` includes the tools
that look after commands in the background. Files are changed inside the worktree only, whoever allows it.
"""

import re
from pathlib import Path
from typing import Any

INCLUDES = {
    "Edit": ("Write", "MultiEdit", "NotebookEdit"),
    "Task": ("Agent",),
    "Bash": ("BashOutput", "KillShell", "TaskOutput", "TaskStop"),
}
CHANGES_FILES = {"Edit", "Write", "MultiEdit", "NotebookEdit"}
_ENTRY = re.compile(r"(?P<tool>[^()\s]+)(?:\((?P<pattern>.*)\))?", re.DOTALL)
_MAIN_ARGUMENTS = ("command", "file_path", "notebook_path", "path", "url", "pattern", "query")
_MORE_THAN_ONE_COMMAND = re.compile(r"[;&|<>`\n]|\$\(")


class Permissions:
    """The rules of one run."""

    def __init__(self, allowed: tuple[str, ...], worktree: Path) -> None:
        self._worktree = worktree.resolve()
        #: Tool name to its patterns; None means any call.
        self._rules: dict[str, list[str] | None] = {}
        for entry in allowed:
            if found := _ENTRY.fullmatch(entry.strip()):
                self._allow(found["tool"], found["pattern"])

    @property
    def tools(self) -> list[str]:
        """Names of the tools the model is shown at all."""
        return sorted(self._rules)

    def refusal(self, tool: str, arguments: dict[str, Any]) -> str | None:
        """Why this call is refused, for the model and the audit log; None when it is allowed."""
        if tool not in self._rules:
            return f"{tool} is not among this agent's allowed tools ({', '.join(self._rules) or 'none'})."
        patterns = self._rules[tool]
        if patterns is not None and not any(_matches(tool, pattern, arguments) for pattern in patterns):
            return f"This agent may use {tool} only for: {', '.join(patterns)}."
        if tool in CHANGES_FILES and not self._is_inside(arguments):
            return f"Files are changed inside the worktree only: {self._worktree}."
        return None

    def _allow(self, tool: str, pattern: str | None) -> None:
        for name in (tool, *INCLUDES.get(tool, ())):
            patterns = self._rules.setdefault(name, [])
            if pattern is None:
                self._rules[name] = None
            elif patterns is not None:
                patterns.append(pattern)

    def _is_inside(self, arguments: dict[str, Any]) -> bool:
        target = _main_argument(arguments)
        return (self._worktree / target).resolve().is_relative_to(self._worktree) if target else True


def _matches(tool: str, pattern: str, arguments: dict[str, Any]) -> bool:
    given = _main_argument(arguments).strip()
    if tool == "Bash" and _MORE_THAN_ONE_COMMAND.search(given):
        return False
    if pattern.endswith(":*"):
        return given == pattern[:-2] or given.startswith(pattern[:-2] + " ")
    return given.startswith(pattern[:-1]) if pattern.endswith("*") else given == pattern


def _main_argument(arguments: dict[str, Any]) -> str:
    return next((str(arguments[name]) for name in _MAIN_ARGUMENTS if name in arguments), "")
