"""Cut secrets out of what agents say before it is stored, and make it storable."""

import re
from collections.abc import Mapping
from typing import Any

#: Names of variables whose values never reach the database.
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
#: Shorter values are words, not secrets; cutting them would garble text.
_SHORTEST = 8
MARK = "[redacted]"
#: Characters of one string that are stored; the rest is cut and said to be.
LONGEST = 256 * 1024


class Redactor:
    """Knows the secret values of one run's environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        values = {value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST}
        longest_first = sorted(values, key=len, reverse=True)
        self._secrets = tuple(longest_first)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """`text` without secrets, without NUL and lone surrogates (PostgreSQL takes neither), and not too long."""
        cut = len(text) - LONGEST
        if cut > 0:
            text = f"{text[:LONGEST]}\n[{cut} more characters were not kept]"
        text = text.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()
        return self._pattern.sub(MARK, text) if self._pattern else text

    def open_end(self, text: str) -> int:
        """How many characters at the end of `text` may be the beginning of a secret that goes on in the next piece."""
        return max((_overlap(text, secret) for secret in self._secrets), default=0)

    def value(self, value: Any) -> Any:
        """The same for every string in a JSON document."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value


def _overlap(text: str, secret: str) -> int:
    longest = min(len(text), len(secret) - 1)
    return next((length for length in range(longest, 0, -1) if text.endswith(secret[:length])), 0)
