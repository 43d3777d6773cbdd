"""Choose by a number that does not know how many there are."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def pick(things: Sequence[T], which: int) -> T | None:
    """One of them."""
    return things[which % len(things)] if things else None
