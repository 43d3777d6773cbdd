"""Where one run writes: its session's events, under the name of its agent and without secrets."""

import re
from hashlib import sha256
from typing import Any

from app.events.recording import Actor, record
from app.processes.redacting import Redactor
from app.runs.claiming import Claim

_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RunLog:
    """One run's place in the event log."""

    def __init__(self, claim: Claim, agent_name: str, clean: Redactor) -> None:
        self.claim = claim
        self.actor = Actor("agent", agent_name)
        self.clean = clean
        #: What tells the ids of this run from those of the others.
        self.prefix = claim.run_id[-6:]

    def key(self, program_id: str) -> str:
        """A program's own id as one that no other run has, and that is safe as a part of an element's id."""
        safe = program_id if _SAFE_ID.fullmatch(program_id) else sha256(program_id.encode()).hexdigest()[:16]
        return f"{self.prefix}-{safe}"

    async def tell(self, kind: str, payload: dict[str, Any], actor: Actor | None = None, *, cut: int = 0) -> None:
        """An event of the session, the agent's unless another `actor` is given; `cut` secrets were taken out of it. In
        the project's lock."""
        payload = {**payload, "redacted": cut} if cut else payload
        await record(
            self.claim.project_id, kind, actor=actor or self.actor, subject=self.claim.run_id,
            session_id=self.claim.session_id, payload=payload,
        )  # fmt: skip
