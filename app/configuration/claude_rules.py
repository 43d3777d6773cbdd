"""Rules as Claude Code's own settings write them, as ours.

Most are the same. Paths begin otherwise there: `//` is the machine's root, `/` and `./` the repository's. A site is
`domain:example.com`.
"""

from app.configuration.sources import RuleKind
from app.runners.rules import FILE_TOOLS, Rule, RuleRefused, parse_rule


def as_ours(kind: RuleKind, text: str) -> str:
    """The text of our rule. `RuleRefused` when it is none."""
    rule = parse_rule(text)
    if rule.pattern is None:
        return rule.text
    if rule.tool in FILE_TOOLS:
        return f"{rule.tool}({_path(kind, rule.pattern)})"
    if rule.tool == "WebFetch" and rule.pattern.startswith("domain:"):
        return _site(kind, rule)
    return rule.text


def _path(kind: RuleKind, pattern: str) -> str:
    if pattern.startswith("//"):
        return pattern[1:]
    inside = pattern.removeprefix(".").removeprefix("/") if pattern.startswith(("/", "./")) else pattern
    if kind == "allow" and inside != pattern and "/" not in inside:
        raise RuleRefused(f"{inside} would be allowed in every folder, since ours know no name in the first one alone")
    return inside


def _site(kind: RuleKind, rule: Rule) -> str:
    """What asks or refuses covers all that could be the site; what allows, only what surely is."""
    assert rule.pattern is not None
    domain = rule.pattern.removeprefix("domain:").strip()
    return f"{rule.tool}(https://{domain}/*)" if kind == "allow" else f"{rule.tool}(*{domain}*)"
