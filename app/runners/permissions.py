"""Which tool calls an agent may make: refused, asked for, or allowed.

`allowed` is the ceiling: what it does not name is refused, whatever the rules say. Below it a rule that refuses comes
before one that asks, and that before one that allows. Where rules allow a tool with patterns, what none of them means
is asked for. Files are changed inside the worktree only, whoever allows it.

In the ceiling `Edit` is the permission to change files: it includes `Write`, `MultiEdit` and `NotebookEdit`. `Bash`
includes the tools that look after commands in the background. A shell command that is more than one plain command never
matches a pattern that allows, since what follows `;` or stands in `$(…)` would pass unseen; it matches one that asks or
refuses when any part of it could.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from app.runners.rules import INCLUDES, Rule, RuleRefused, Rules, parse_rule, paths_of

__all__ = ["CHANGES_FILES", "Permissions", "Rules", "Verdict"]

CHANGES_FILES = {"Edit", "Write", "MultiEdit", "NotebookEdit"}

NO_RULES = Rules()

Decision = Literal["allow", "ask", "deny"]
_STRICTEST: tuple[Decision, ...] = ("deny", "ask", "allow")


class Verdict(Struct, frozen=True):
    """What is decided of one call."""

    decision: Decision
    #: The text of the rule that decided; empty for what nothing speaks against.
    rule: str = ""
    #: For the model, the audit log and whoever is asked. Empty when allowed.
    why: str = ""
    #: Every rule that asks for this call, `rule` first.
    asking: tuple[str, ...] = ()


class Permissions:
    """The ceiling and the rules of one run.

    A rule that cannot be read, which no form takes, allows nothing; one that would ask or refuse is about every call.
    """

    def __init__(self, allowed: tuple[str, ...], worktree: Path, rules: Rules = NO_RULES) -> None:
        self._worktree = worktree.resolve()
        self._ceiling, self._allow = _parsed(allowed), _parsed(rules.allow)
        self._ask, self._deny = _parsed(rules.ask, unreadable="*"), _parsed(rules.deny, unreadable="*")

    @property
    def tools(self) -> list[str]:
        """Names of the tools the model is shown at all."""
        return sorted({name for rule in self._ceiling for name in (rule.tool, *INCLUDES.get(rule.tool, ()))})

    def decide(self, tool: str, arguments: dict[str, Any]) -> Verdict:
        """Whether this call is refused, asked for or allowed, and by which rule."""
        if why := self._above_ceiling(tool, arguments):
            return Verdict("deny", why=why)
        if rule := next((each for each in self._deny if self._could_match(each, tool, arguments)), None):
            return Verdict("deny", rule.text, f"The rule {rule.text} refuses this call.")
        asking = tuple(rule.text for rule in self._ask if self._could_match(rule, tool, arguments))
        if asking:
            return Verdict("ask", asking[0], f"The rule {asking[0]} asks a person for this call.", asking)
        return self._allowed_by_rule(tool, arguments)

    def decide_all(self, calls: Sequence[tuple[str, dict[str, Any]]]) -> Verdict:
        """Of a call that is several for the rules, as one that changes many files: the strictest verdict."""
        verdicts = [self.decide(tool, arguments) for tool, arguments in calls]
        return min(verdicts, key=lambda each: _STRICTEST.index(each.decision))

    def _above_ceiling(self, tool: str, arguments: dict[str, Any]) -> str:
        """Why the call is outside of what this agent may do at all; empty when it is inside."""
        rules = [rule for rule in self._ceiling if rule.covers(tool)]
        if not rules:
            names = ", ".join(dict.fromkeys(rule.tool for rule in self._ceiling))
            return f"{tool} is not among this agent's allowed tools ({names or 'none'})."
        if not any(rule.surely_matches(tool, arguments, self._worktree) for rule in rules):
            return f"This agent may use {tool} only for: {', '.join(rule.pattern or '' for rule in rules)}."
        if tool in CHANGES_FILES and not self._is_inside(arguments):
            return f"Files are changed inside the worktree only: {self._worktree}."
        return ""

    def _allowed_by_rule(self, tool: str, arguments: dict[str, Any]) -> Verdict:
        about = [rule for rule in self._allow if rule.covers(tool)]
        found = next((rule for rule in about if rule.surely_matches(tool, arguments, self._worktree)), None)
        if found or not about:
            return Verdict("allow", found.text if found else "")
        texts = ", ".join(rule.text for rule in about)
        return Verdict("ask", tool, f"No rule allows this call without asking: {texts}.", (tool,))

    def _could_match(self, rule: Rule, tool: str, arguments: dict[str, Any]) -> bool:
        return rule.could_match(tool, arguments, self._worktree)

    def _is_inside(self, arguments: dict[str, Any]) -> bool:
        targets = [(self._worktree / path).resolve() for path in paths_of(arguments)]
        return all(target.is_relative_to(self._worktree) for target in targets)


def _parsed(texts: tuple[str, ...], unreadable: str = "") -> list[Rule]:
    """The rules of a list; one that cannot be read is about the tools `unreadable`, if these are given."""
    found = []
    for text in texts:
        try:
            found.append(parse_rule(text))
        except RuleRefused:
            found += [Rule(text, unreadable)] if unreadable else []
    return found
