"""Which values of an environment are secrets: all but those that anybody may read and that texts are full of."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

#: Names whose values are secrets, whatever they look like.
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|COOKIE|AUTH(?!OR)|DSN", re.IGNORECASE)
#: Names whose values are none.
_PLAIN_NAME = re.compile(
    r"PATH|HOME|PWD|OLDPWD|SHELL|USER|LOGNAME|HOSTNAME|LANG|LANGUAGE|LC_\w+|TERM|COLORTERM|TZ|TMPDIR|EDITOR|PAGER|DISPLAY"
    r"|NO_PROXY|no_proxy|AGENTPANE_\w+"
)
#: Values that are words: a number, a version, a moment; a name in plain letters; an address of this machine.
_PLAIN_VALUE = re.compile(
    r"[\d.,:/ +-]*|[A-Za-z]{1,24}(?:[-_. ][A-Za-z]{1,24}){0,3}|https?://(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?/?",
)
#: Shorter values are words, not secrets; cutting them would garble text.
SHORTEST = 8
#: A program prints a value of several lines line by line; a shorter line of it may be anything.
SHORTEST_LINE = 32


def secret_values(environment: Mapping[str, str]) -> dict[str, str]:
    """Each secret value with the name of its variable; of a value with several lines also each line that is long."""
    found: dict[str, str] = {}
    for name, value in sorted(environment.items()):
        if is_secret(name, value):
            for part in _parts(value):
                found.setdefault(part, name)
    return found


def is_secret(name: str, value: str) -> bool:
    """Whether the value must not be seen, judged by the variable's name, then by the value."""
    if len(value.strip()) < SHORTEST or _PLAIN_NAME.fullmatch(name):
        return False
    return bool(_SECRET_NAME.search(name)) or not (_PLAIN_VALUE.fullmatch(value) or _is_place(value))


def _parts(value: str) -> Iterator[str]:
    yield value.strip()
    if "\n" in value.strip():
        yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= SHORTEST_LINE)


def _is_place(value: str) -> bool:
    """One or more paths of this machine: everybody sees that they are there."""
    return all(part.startswith("/") and len(part) < 4096 and Path(part).exists() for part in value.split(":"))
