"""The text of a rule: `Tool`, or `Tool(pattern)`, and what it matches.

A tool's name may hold stars (`mcp__github__*`); `*` alone is every tool. `Edit` covers every tool that changes files,
as `INCLUDES` says. What a pattern is held against depends on the tool: a shell command, a path, or the main argument.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from app.runners.paths import could_be_path
from app.runners.shell import commands_of, is_plain
from app.runners.wildcards import could_match, matches

INCLUDES = {
    "Edit": ("Write", "MultiEdit", "NotebookEdit"),
    "Task": ("Agent",),
    "Bash": ("BashOutput", "KillShell", "TaskOutput", "TaskStop"),
}
#: Tools that read files too: a rule about reading a path asks or refuses for them as well.
READERS = {"NotebookRead", "Grep", "Glob", "LS"}
#: Tools whose pattern is a path.
FILE_TOOLS = {"Read", "NotebookRead", "Edit", "Write", "MultiEdit", "NotebookEdit", "Glob", "Grep", "LS"}
#: Longest text of one rule, and most rules of one list.
LONGEST = 500
MOST = 200

_RULE = re.compile(r"(?P<tool>[^()\s]+)(?:\((?P<pattern>.+)\))?", re.DOTALL)
_MAIN_ARGUMENTS = ("command", "file_path", "notebook_path", "path", "url", "pattern", "query")
_PATH_ARGUMENTS = ("file_path", "notebook_path", "path")


class RuleRefused(ValueError):
    """A text that is no rule; the message says why."""


class Rules(Struct, frozen=True, omit_defaults=True):
    """The texts of rules, as people typed them."""

    allow: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def __add__(self, more: "Rules") -> "Rules":
        return Rules(_joined(self.allow, more.allow), _joined(self.ask, more.ask), _joined(self.deny, more.deny))


class Rule(Struct, frozen=True):
    """One rule that was understood."""

    text: str
    tool: str
    pattern: str | None = None

    def covers(self, tool: str) -> bool:
        """Whether the rule speaks of `tool` at all."""
        return matches(self.tool, tool) or tool in INCLUDES.get(self.tool, ())

    def could_match(self, tool: str, arguments: dict[str, Any], worktree: Path) -> bool:
        """Whether any part of the call could be what the rule means; in doubt it is. For rules that ask and refuse."""
        reads_too = self.tool == "Read" and self.pattern is not None and tool in READERS
        if not (self.covers(tool) or reads_too):
            return False
        if self.pattern is None:
            return True
        if tool == "Bash":
            return _could_run(self.pattern, main_argument(arguments))
        if tool in FILE_TOOLS:
            paths = paths_of(arguments)
            return not paths or any(could_be_path(self.pattern, each, worktree) for each in paths)
        texts = [main_argument(arguments), *(each for each in arguments.values() if isinstance(each, str))]
        return any(matches(form, each) for form in _forms(self.pattern) for each in texts)

    def surely_matches(self, tool: str, arguments: dict[str, Any], worktree: Path) -> bool:
        """Whether the whole call is what the rule means; in doubt it is not. For rules that allow."""
        if not self.covers(tool):
            return False
        if self.pattern is None:
            return True
        if tool in FILE_TOOLS:
            paths = paths_of(arguments)
            return bool(paths) and all(could_be_path(self.pattern, each, worktree, surely=True) for each in paths)
        given = main_argument(arguments).strip()
        is_whole = tool != "Bash" or is_plain(given)
        return is_whole and any(matches(form, given) for form in _forms(self.pattern))


def parse_rule(text: str) -> Rule:
    """The rule that `text` says. `RuleRefused` when it says none."""
    text = text.strip()
    if len(text) > LONGEST:
        raise RuleRefused(f"a rule has at most {LONGEST} characters")
    if not text.isprintable():
        raise RuleRefused("a rule has no control characters")
    found = _RULE.fullmatch(text)
    if found is None:
        raise RuleRefused("write a tool's name, or a name with a pattern in brackets: Bash(git push*)")
    return Rule(text, found["tool"], found["pattern"])


def parse_rules(texts: Sequence[str]) -> list[Rule]:
    """The rules of a list. `RuleRefused` names the first that is none, by its number and its text."""
    if len(texts) > MOST:
        raise RuleRefused(f"Give at most {MOST} rules; these are {len(texts)}.")
    found = []
    for number, text in enumerate(texts, start=1):
        try:
            found.append(parse_rule(text))
        except RuleRefused as wrong:
            raise RuleRefused(f"Rule {number}, '{text[:80]}', cannot be read: {wrong}.") from None
    return found


def main_argument(arguments: dict[str, Any]) -> str:
    """What a call is about, for a pattern: its command, its path, its address."""
    return next((str(arguments[name]) for name in _MAIN_ARGUMENTS if name in arguments), "")


def paths_of(arguments: dict[str, Any]) -> list[str]:
    """Every path that a call names; the worktree itself where it names none, and nothing where they are not known."""
    named = [str(arguments[name]) for name in _PATH_ARGUMENTS if arguments.get(name)]
    many = arguments.get("paths")
    if isinstance(many, list):
        return [*named, *map(str, many)]
    return named or ["."]


def _could_run(pattern: str, command: str) -> bool:
    """Whether a part of `command` could be `pattern`, which people may write with or without quotes."""
    commands = commands_of(command)
    if commands is None:
        return True
    forms = {form for each in (pattern, _without_quotes(pattern)) for form in _forms(" ".join(each.split()))}
    return any(could_match(form, each) for form in (*forms, *_forms(pattern)) for each in commands)


def _without_quotes(pattern: str) -> str:
    return pattern.translate({ord(mark): None for mark in "\"'\\"})


def _forms(pattern: str) -> tuple[str, ...]:
    """`prefix:*` and `prefix *` mean the prefix alone, too."""
    for ending in (":*", " *"):
        if pattern.endswith(ending):
            prefix = pattern.removesuffix(ending)
            return prefix, f"{prefix} *"
    return (pattern,)


def _joined(some: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*some, *more)))
