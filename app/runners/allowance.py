"""How much of one run is kept: an agent that never stops talking fills neither the memory nor the database.

Everything it does stays on record. What it says beyond the allowance is cut to the beginning of each text, and a run
that does more things than any real one is ended.
"""

from typing import Any

import msgspec

from app.runners.base import AgentEvent, Finished, Notice, Rested, TextDelta
from app.runners.tidying import shorten

#: Bytes of events, as JSON, that are kept whole of one run; then of each text so many characters.
MAX_RUN_BYTES = 128 * 1024 * 1024
CUT_CHARS = 500
#: Events of one run, pieces of messages not counted; one that makes more is ended.
MAX_RUN_EVENTS = 500_000


class Allowance:
    """What is left of one run's."""

    def __init__(self) -> None:
        self._bytes = MAX_RUN_BYTES
        self._events = MAX_RUN_EVENTS
        self.is_used_up = False

    def take(self, event: AgentEvent) -> list[AgentEvent]:
        """What is kept of an event: mostly the event itself; nothing more once everything is used up."""
        if isinstance(event, Finished | Rested):
            return [event]
        if self.is_used_up:
            return []
        self._events -= not isinstance(event, TextDelta)
        if self._events < 0:
            self.is_used_up = True
            return [Notice(text=self.why, level="error")]
        if self._bytes <= 0:  # The pieces of a message come again as a whole.
            return [] if isinstance(event, TextDelta) else [shorten(event, CUT_CHARS)]
        self._bytes -= len(msgspec.json.encode(event, enc_hook=_as_text))
        return [event] if self._bytes > 0 else [event, _SAID]

    @property
    def why(self) -> str:
        """Why a run is ended that has used up everything."""
        return f"The agent reported more than {MAX_RUN_EVENTS:,} things in one run, so the run was ended."


_SAID = Notice(
    text=f"The agent has said more than {MAX_RUN_BYTES // 1024**2} MiB in this run. From here on only the beginning of"
    " each text is kept.",
    level="warning",
)


def _as_text(value: Any) -> str:
    return str(value)
