"""The time, in one place."""

from datetime import UTC, date, datetime


def now() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)


def today() -> date:
    """The day that it is where the server stands."""
    return now().astimezone().date()
