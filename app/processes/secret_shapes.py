"""What a secret looks like: the known shapes of keys and tokens, found in time that grows with the text and no faster.

Each pattern begins with a few fixed letters and then takes all that may belong to a token, without ever giving
characters back (`*+`). So it runs over every character once, and what it took is looked at afterwards.
"""

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

#: Where a secret begins and ends, and what it is called.
Span = tuple[int, int, str]


class Shape(Struct, frozen=True):
    """One kind of secret. `pattern` has it whole, or in the group `secret`; `anchors` are small letters without one of
    which it cannot be there; `is_secret` decides on what was found."""

    name: str
    anchors: tuple[str, ...]
    pattern: re.Pattern[str]
    is_secret: Callable[[str], bool]


def _at_least(length: int) -> Callable[[str], bool]:
    return lambda found: len(found) >= length


def _is_random(found: str) -> bool:
    """Letters of both cases and figures: no name that a person gave."""
    return len(found) >= 20 and _mixed(found) and any(c.isupper() for c in found) and any(c.islower() for c in found)


def _mixed(found: str) -> bool:
    return any(c.isdigit() for c in found) and any(c.isalpha() for c in found)


def _is_sk(found: str) -> bool:
    known = found.startswith(("sk-ant-", "sk-proj-", "sk-svcacct-", "sk-admin-", "sk-or-"))
    return (
        (known and len(found) >= 20) or _is_random(found) or (len(found) >= 35 and _mixed(found[3:].partition("-")[0]))
    )


def _is_jwt(found: str) -> bool:
    parts = found.split(".")
    return len(parts) >= 2 and len(parts[0]) >= 12 and parts[1].startswith("eyJ") and len(parts[1]) >= 8


#: A value that stands for another one, or for none.
_STANDS_FOR = re.compile(
    r"[$<{%*.(\[]|(?:your|my|the)[-_ ]|x{3}|\.\.\.|example|placeholder|changeme|redacted|process\.|os\.|env[.(\[]",
    re.IGNORECASE,
)


def _is_value(found: str) -> bool:
    """What is assigned to a password: something of its own, no reference and no word to fill in."""
    return len(found) >= 8 and not found.isdigit() and "(" not in found and not _STANDS_FOR.match(found)


def _is_strange_value(found: str) -> bool:
    """The same where the name alone does not make it sure."""
    return _is_value(found) and _mixed(found) and len(found) >= 10


def _is_login(found: str) -> bool:
    return len(found) >= 3 and not _STANDS_FOR.match(found)


def _shape(name: str, anchors: str, pattern: str, is_secret: Callable[[str], bool]) -> Shape:
    return Shape(name, tuple(anchors.split()), re.compile(pattern), is_secret)


_NAMES = (
    r"(?i:passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?token|access[_-]?token)"
)
_WORDS = "password passwd passphrase secret api_key api-key apikey access_key access-key accesskey private_key"
_WORDS += " private-key privatekey auth_token auth-token authtoken access_token access-token accesstoken"

SHAPES = (
    _shape("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]*+", _at_least(36)),
    _shape("GitHub token", "github_pat_", r"github_pat_\w*+", _is_random),
    _shape("GitLab token", "glpat- gldt- glrt- glptt- glcbt-", r"gl(?:pat|dt|rt|ptt|cbt)-[\w.-]*+", _at_least(25)),
    _shape("Slack token", "xox xapp-", r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]*+", _at_least(15)),
    _shape("Slack webhook", "hooks.slack.com/", r"hooks\.slack\.com/services/[A-Za-z0-9/]*+", _at_least(45)),
    _shape("AWS key", "akia asia", r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Za-z0-9]*+",
           lambda found: len(found) == 20 and found.isupper()),
    _shape("AWS secret key", "secret_access_key secretaccesskey secret-access-key",
           r"(?i:secret[_-]?access[_-]?key)[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<secret>[A-Za-z0-9/+=]*+)",
           lambda found: len(found) == 40),
    _shape("API key", "sk-", r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))sk-[\w-]*+", _is_sk),
    _shape("Stripe key", "sk_live_ rk_live_ sk_test_ rk_test_", r"[rs]k_(?:live|test)_[A-Za-z0-9]*+", _at_least(24)),
    _shape("Google key", "aiza", r"AIza[\w-]*+", lambda found: len(found) >= 39 and _mixed(found)),
    _shape("Google token", "ya29. gocspx-", r"(?:ya29\.|GOCSPX-)[\w-]*+", _at_least(25)),
    _shape("npm token", "npm_", r"npm_[A-Za-z0-9]*+", _at_least(40)),
    _shape("PyPI token", "pypi-", r"pypi-[\w-]*+", lambda found: len(found) >= 55 and _is_random(found)),
    _shape("Hugging Face token", "hf_", r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]*+", _at_least(37)),
    _shape("JSON web token", "eyj", r"eyJ[\w-]*+(?:\.[\w-]*+){0,4}", _is_jwt),
    _shape("password in a URL", "://", r"://[^\s/:@\"'<>\\]{0,200}+:(?P<secret>[^\s/@\"'<>\\]{1,200}+)@", _is_login),
    _shape("authorization", "authorization",
           r"(?i:authorization)[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?i:(?:bearer|basic|token|digest|apikey)\s{1,4})?+"
           r"(?P<secret>[\w.~+/=:-]*+)", _is_strange_value),
    _shape("bearer token", "bearer", r"(?i:bearer)\s{1,4}(?P<secret>[\w.~+/=-]*+)",
           lambda found: len(found) >= 20 and _is_strange_value(found)),
    # NAME_OF_A_SECRET=value, as in a file of variables; then "name": "value" in quotes; then ?name=value in a URL.
    _shape("password", "password= passwd= passphrase= secret= api_key= apikey= access_key= private_key= token=",
           r"(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|API_?KEY|ACCESS_KEY|PRIVATE_KEY|TOKEN)=[\"']?"
           r"(?P<secret>[^\s\"'`;&|<>]*+)", _is_value),
    _shape("password", _WORDS, _NAMES + r"[\"']?\s{0,4}[:=]\s{0,4}(?P<quote>[\"'])(?P<secret>[^\s\"'<>\\]*+)(?P=quote)",
           _is_strange_value),
    _shape("password", "?password= &password= token= key= secret= signature=",
           r"[?&](?i:password|(?:access_?|auth_?)?token|api_?key|key|secret|(?:x-amz-)?signature)="
           r"(?P<secret>[\w.~+/%-]*+)", _is_strange_value),
)  # fmt: skip


def find_shapes(text: str) -> Iterator[Span]:
    """Every secret in `text` that looks like one, in no order; they may overlap."""
    small = text.lower()
    for shape in SHAPES:
        if any(anchor in small for anchor in shape.anchors):
            yield from _found(shape, text)
    if "-----begin" in small:
        yield from ((begin, end, "private key") for begin, end in find_keys(text))


def _found(shape: Shape, text: str) -> Iterator[Span]:
    group = "secret" if "secret" in shape.pattern.groupindex else 0
    for match in shape.pattern.finditer(text):
        if shape.is_secret(match[group]):
            yield *match.span(group), shape.name


_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,60}-----")
#: A line of a key. What stands between two of them (a line's end, its number, a quotation mark) is short.
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{32,}+")
BETWEEN_LINES = 120


def find_keys(text: str) -> Iterator[tuple[int, int]]:
    """Where each block of a private key begins and ends, also one whose end is missing."""
    at = 0
    while begin := _KEY_BEGIN.search(text, at):
        at = begin.end()
        while line := _KEY_LINE.search(text, at, at + BETWEEN_LINES + 32):
            at = line.end()
        if at == begin.end():
            continue
        last = _KEY_END.search(text, at, at + BETWEEN_LINES)
        at = last.end() if last else at
        yield begin.start(), at
