"""Make a value less, and never more: all that a repository may do which is not trusted.

Who can push to the base branch, as an agent does by a change that is approved, would otherwise widen its own rights.
"""

from app.configuration.settings import BY_KEY
from app.configuration.sources import Said
from app.runners.rules import INCLUDES, Rule, RuleRefused, parse_rule


def narrowed(key: str, holds: Said, asked: Said) -> tuple[Said, str]:
    """What holds after `asked`, and why nothing changed or not all of it was taken; empty where it was."""
    match BY_KEY[key].narrowing:
        case "least":
            assert isinstance(holds, int)
            assert isinstance(asked, int)
            return (asked, "") if asked <= holds else (holds, f"is ignored: it is more than {holds:,}")
        case "tools":
            assert isinstance(holds, tuple)
            assert isinstance(asked, tuple)
            return _tools(holds, asked)
        case "required":
            return ("required", "") if asked == "required" else (holds, "is ignored: a repository can only demand one")
        case "never":
            return holds, "is ignored: the project does not trust its repository with it"


def _tools(holds: tuple[str, ...], asked: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    kept = tuple(dict.fromkeys(each for one in holds for other in asked if (each := _both(one, other))))
    more = [each for each in asked if each not in kept and not any(_is_within(one, each) for one in kept)]
    why = f"{', '.join(more)} is ignored: it is not among the tools that are allowed here" if more else ""
    return kept, why


def _both(one: str, other: str) -> str:
    """What both allow, where that is one of the two; empty where they have nothing in common, or nobody can tell."""
    if _is_within(other, one):
        return other
    return one if _is_within(one, other) else ""


def _is_within(inner: str, outer: str) -> bool:
    """Whether every call that `inner` allows is allowed by `outer` too; in doubt it is not."""
    if inner == outer:
        return True
    small, large = _parsed(inner), _parsed(outer)
    if small is None or large is None or large.pattern is not None:
        return False
    return all(large.covers(tool) for tool in (small.tool, *INCLUDES.get(small.tool, ())))


def _parsed(text: str) -> Rule | None:
    try:
        return parse_rule(text)
    except RuleRefused:
        return None
