"""Cut secrets out of what agents say before it is stored, and make it storable.

A secret is a value of the agent's environment (`secret_values.py`), or what looks like one (`secret_shapes.py`).
In its place stands what it was: `[redacted: GitHub token]`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from app.processes.cutting import beginning
from app.processes.secret_shapes import Span, find_shapes
from app.processes.secret_tails import open_from, overlap
from app.processes.secret_values import secret_values

#: Characters of one string that are stored; the rest is cut and said to be.
LONGEST = 256 * 1024


class Cleaned(Struct, frozen=True):
    """What may be stored, and how many secrets were cut out of it."""

    value: Any
    cut: int = 0


class Redactor:
    """Knows the secret values of one environment, and what secrets look like."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._names = secret_values(environment)
        longest_first = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """`text` without secrets, without NUL and lone surrogates (PostgreSQL takes neither), and not too long."""
        return self._clean(text)[0]

    def value(self, value: Any) -> Any:
        """The same for every string in a JSON document."""
        return self.counted(value).value

    def counted(self, value: Any) -> Cleaned:
        """The same for a text or a document, with the number of secrets that it had."""
        if isinstance(value, str):
            return Cleaned(*self._clean(value))
        if isinstance(value, dict):
            keys, items = [self._clean(str(key)) for key in value], [self.counted(item) for item in value.values()]
            cut = sum(number for _, number in keys) + sum(item.cut for item in items)
            return Cleaned({key: item.value for (key, _), item in zip(keys, items, strict=True)}, cut)
        if isinstance(value, list | tuple):
            items = [self.counted(item) for item in value]
            return Cleaned([item.value for item in items], sum(item.cut for item in items))
        return Cleaned(value)

    def split(self, text: str) -> tuple[Cleaned, str]:
        """A piece of a longer text: what can be stored of it, and its end as it came, which may be the beginning of a
        secret and belongs before the next piece."""
        text = _storable(text)
        end = min(open_from(text), *(len(text) - overlap(text, secret) for secret in self._names), len(text))
        end = min((begin for begin, finish, _ in self._spans(text) if begin < end < finish), default=end)
        return self.counted(text[:end]), text[end:]

    def _clean(self, text: str) -> tuple[str, int]:
        text = _storable(text)
        spans = self._spans(text)
        if not spans:
            return text, 0
        parts, at = [], 0
        for begin, end, name in spans:
            parts += [text[at:begin], f"[redacted: {name}]"]
            at = end
        return "".join((*parts, text[at:])), len(spans)

    def _spans(self, text: str) -> list[Span]:
        """Every secret in `text`, in order; those that overlap as one."""
        known = self._pattern.finditer(text) if self._pattern else ()
        return _joined([*((*match.span(), self._names[match[0]]) for match in known), *find_shapes(text)])


def _storable(text: str) -> str:
    if len(text) > LONGEST:
        kept = beginning(text, LONGEST)
        text = f"{kept}\n[{len(text) - len(kept)} more characters were not kept]"
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return text.replace("\0", "\N{SYMBOL FOR NULL}")


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Of two that overlap the first gives its name: a value of the environment before what looks like a secret."""
    joined: list[Span] = []
    for begin, end, name in sorted(spans, key=lambda span: span[0]):
        if joined and begin < joined[-1][1]:
            first = joined[-1]
            joined[-1] = (first[0], max(end, first[1]), first[2])
        else:
            joined.append((begin, end, name))
    return joined
