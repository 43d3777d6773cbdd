"""Make a value less, and never more: all that a repository may do which is not trusted.

Who can push to the base branch, as an agent does by a change that is approved, would otherwise widen its own rights.
"""

from msgspec import Struct

from app.configuration.settings import BY_KEY
from app.configuration.sources import Said
from app.runners.rules import INCLUDES, Rule, RuleRefused, parse_rule


class Narrowed(Struct, frozen=True):
    """What holds by now; what of the wish was left out, None where nothing was; and why."""

    holds: Said
    left_out: Said | None = None
    why: str = ""


def narrowed(key: str, holds: Said, asked: Said) -> Narrowed:
    """What holds after a repository `asked` for its own."""
    match BY_KEY[key].narrowing:
        case "least":
            assert isinstance(holds, int)
            assert isinstance(asked, int)
            return (
                Narrowed(asked) if asked <= holds else Narrowed(holds, asked, f"is ignored: it is more than {holds:,}")
            )
        case "tools":
            assert isinstance(holds, tuple)
            assert isinstance(asked, tuple)
            return _tools(holds, asked)
        case "required":
            is_demand = asked == "required"
            return (
                Narrowed(asked) if is_demand else Narrowed(holds, asked, "is ignored: a repository can only demand one")
            )
        case "never":
            return Narrowed(holds, asked, "is ignored: the project does not trust its repository with it")


def _tools(holds: tuple[str, ...], asked: tuple[str, ...]) -> Narrowed:
    kept = tuple(dict.fromkeys(each for one in holds for other in asked if (each := _both(one, other))))
    more = [each for each in asked if each not in kept and not any(_is_within(one, each) for one in kept)]
    if not more:
        return Narrowed(kept)
    are = "is ignored: it is" if len(more) == 1 else "are ignored: they are"
    return Narrowed(kept, tuple(more), f"{are} not among the tools that are allowed here")


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
