"""The time, in one place."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)
