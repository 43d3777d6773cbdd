"""AgentPane at a later time: the clock of the server is ahead by as many seconds as the file says that `LATER` names.

Run as `python -m tests.e2e.later serve`, in the place of `python -m app`.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app import clock

AHEAD = Path(os.environ["LATER"])
_monotonic = time.monotonic


def ahead_s() -> float:
    return float(AHEAD.read_text())


class Later(datetime):
    """A clock that goes on from its moment, as each of ours does."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=ahead_s())


clock.datetime = Later  # type: ignore[misc]
time.monotonic = lambda: _monotonic() + ahead_s()

if __name__ == "__main__":
    from app.cli import main

    main()
