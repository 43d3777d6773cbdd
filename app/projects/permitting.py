"""The three lists of rules in the forms of a project and of an agent: one rule a line."""

from typing import Annotated

from msgspec import Meta, Struct

from app.errors import Invalid
from app.runners.rules import RuleRefused, Rules, parse_rules

Lines = Annotated[str, Meta(max_length=20_000)]


class RuleFields(Struct, frozen=True, kw_only=True):
    """The fields of a form in which rules stand."""

    permissions_allow: Lines = ""
    permissions_ask: Lines = ""
    permissions_deny: Lines = ""

    def rules(self) -> Rules:
        """What was typed. `VALIDATION_ERROR` beside each list with a rule that cannot be read, which is named."""
        typed = {name: _lines(getattr(self, f"permissions_{name}")) for name in ("allow", "ask", "deny")}
        wrong = {f"permissions_{name}": sentence for name, lines in typed.items() if (sentence := _problem(lines))}
        if wrong:
            raise Invalid(wrong)
        return Rules(**{name: tuple(dict.fromkeys(lines)) for name, lines in typed.items()})


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _problem(lines: list[str]) -> str:
    try:
        parse_rules(lines)
    except RuleRefused as refused:
        return str(refused)
    return ""
