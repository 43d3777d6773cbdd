"""What an agent says: whole messages, and the pieces of one that is still being written."""

from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from app.events.recording import Actor
from app.postgres.reading import execute, rows
from app.runners import base
from app.runners.recent import Recent
from app.runs.run_log import RunLog
from app.sessions.messaging import delivered_in_lock
from app.sessions.rows import QueuedMessage


class _Draft(Struct):
    key: str
    text: str = ""
    cut: int = 0


class Speech:
    """Writes the messages of one run. Every method is called in the project's lock."""

    def __init__(self, log: RunLog) -> None:
        self._log = log
        self._begun: dict[str, bool] = Recent()
        self._expected: deque[QueuedMessage] = deque()
        #: By message, the end of what came that may be the beginning of a secret.
        self._held: dict[str, str] = Recent()

    def expect(self, message: QueuedMessage) -> None:
        """The next message of a `user` is this one, which leaves the queue when it is written."""
        self._expected.append(message)

    async def piece(self, event: base.TextDelta) -> None:
        """One more piece of a message."""
        key = self._log.key(event.message_id)
        self._begun[key] = True
        piece, held = self._log.clean.split(self._held.pop(key, "") + event.text)
        if held:
            self._held[key] = held
        if piece.value:
            payload = {"message": key, "text": piece.value, "partial": True}
            await self._log.tell("message", payload, cut=piece.cut)

    async def whole(self, event: base.Message) -> None:
        """A message, which takes the place of its pieces."""
        key = self._log.key(event.message_id)
        if self._begun.pop(key, False):
            self._held.pop(key, None)
            await self._drop_pieces(key)
        asked = self._expected.popleft() if event.role == "user" and self._expected else None
        await self._say(key, event.text, event.role, Actor("person", asked.author) if asked else None)
        if asked is not None:
            await delivered_in_lock(asked.id)

    async def keep_pieces(self) -> None:
        """What was being written when the run ended, as far as it came, as whole messages."""
        drafts = await rows(
            _Draft,
            "SELECT payload ->> 'message' AS key, string_agg(payload ->> 'text', '' ORDER BY number) AS text,"
            " coalesce(sum((payload ->> 'redacted')::int), 0)::int AS cut"
            " FROM events WHERE session_id = $1 AND subject = $2 AND kind = 'message'"
            " AND (payload ->> 'partial')::boolean GROUP BY 1 ORDER BY min(number)",
            self._log.claim.session_id,
            self._log.claim.run_id,
        )
        held = dict(self._held)
        only_held = [_Draft(key) for key in held if key not in {draft.key for draft in drafts}]
        for draft in (*drafts, *only_held):
            await self._drop_pieces(draft.key)
            await self._say(draft.key, draft.text + held.get(draft.key, ""), cut=draft.cut)

    async def _say(
        self, key: str, text: str, role: str = "assistant", author: Actor | None = None, cut: int = 0
    ) -> None:
        cleaned = self._log.clean.counted(text)
        payload = {"message": key, "text": cleaned.value, "role": role}
        await self._log.tell("message", payload, author, cut=cleaned.cut + cut)
        await execute("UPDATE sessions SET message_count = message_count + 1 WHERE id = $1", self._log.claim.session_id)

    async def _drop_pieces(self, key: str) -> None:
        """Who resumes from a piece gets the whole."""
        await execute(
            "DELETE FROM events WHERE session_id = $1 AND kind = 'message' AND subject = $2"
            " AND payload ->> 'message' = $3 AND (payload ->> 'partial')::boolean",
            self._log.claim.session_id,
            self._log.claim.run_id,
            key,
        )


def join_pieces(batch: Sequence[base.AgentEvent]) -> list[base.AgentEvent]:
    """Neighbouring pieces of one message as one piece; pieces whose whole message is in the batch fall away."""
    whole = {event.message_id for event in batch if isinstance(event, base.Message)}
    joined: list[base.AgentEvent] = []
    for event in batch:
        if not isinstance(event, base.TextDelta):
            joined.append(event)
        elif event.message_id not in whole:
            last = joined[-1] if joined else None
            if isinstance(last, base.TextDelta) and last.message_id == event.message_id:
                joined[-1] = base.TextDelta(message_id=event.message_id, text=last.text + event.text)
            else:
                joined.append(event)
    return joined
