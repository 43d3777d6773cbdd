"""A person asks on the page whether the chain is whole. It is verified beside all else, and the answer is an event."""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from app.audit.chain import head_of
from app.audit.sentences import verdict
from app.audit.verifying import Verified, verify
from app.audit.views import ChainView
from app.events.recording import Actor, record
from app.postgres.reading import one
from app.projects.locking import locked

log = logging.getLogger(__name__)

#: Seconds that a person waits for the answer; what takes longer is shown as going on.
WAIT_S = 3.0
_EVENT = "audit.verified"


class _Asked:
    """A verification that goes on in this process."""

    def __init__(self, project_id: str, actor: Actor) -> None:
        self.done, self.of = 0, 0
        work = _verify(project_id, actor, self._tell)
        self.task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())

    def _tell(self, done: int, of: int) -> None:
        self.done, self.of = done, of


#: By project: two who ask at once wait for the same answer.
_GOING_ON: dict[str, _Asked] = {}


async def ask(project_id: str, actor: Actor) -> None:
    """Verify the project's chain; returns with the answer, or after `WAIT_S` without it."""
    asked = _GOING_ON.get(project_id)
    if asked is None:
        asked = _GOING_ON[project_id] = _Asked(project_id, actor)
        asked.task.add_done_callback(lambda task: _ended(project_id, task))
    await asyncio.wait([asked.task], timeout=WAIT_S)


async def chain_view(project_id: str) -> ChainView:
    """The chain's head, what was found when it was verified last, and how far that is that goes on."""
    head, asked = await head_of(project_id), _GOING_ON.get(project_id)
    answer = await one(_Answer, _NEWEST, project_id)
    return ChainView(
        project_id=project_id,
        number=head.number,
        hash=head.hash,
        going_on=asked is not None,
        done=asked.done if asked else 0,
        of=asked.of if asked else 0,
        verified_at=answer.at if answer else None,
        verified_by=answer.actor if answer else "",
        verdict=answer.verdict if answer else "",
        is_whole=answer is not None and answer.is_whole,
        verified_to=answer.number if answer else 0,
    )


class _Answer(Struct, frozen=True):
    at: datetime
    actor: str
    verdict: str
    is_whole: bool
    number: int


_NEWEST = """
SELECT at, actor, payload ->> 'verdict' AS verdict, (payload ->> 'whole')::boolean AS is_whole,
       (payload ->> 'number')::int AS number
FROM events WHERE project_id = $1 AND kind = 'audit.verified' ORDER BY number DESC LIMIT 1
"""


async def _verify(project_id: str, actor: Actor, tell: Callable[[int, int], None]) -> None:
    found = await verify(project_id, tell=tell)
    async with locked(project_id):
        await record(project_id, _EVENT, actor=actor, subject=project_id, payload=_payload(found))


def _payload(found: Verified) -> dict[str, object]:
    said: dict[str, object] = {"verdict": verdict(found), "whole": found.broken is None, "number": found.number}
    return said if found.broken or not found.number else {**said, "chain": {"number": found.number, "hash": found.hash}}


def _ended(project_id: str, task: "asyncio.Task[None]") -> None:
    _GOING_ON.pop(project_id, None)
    if not task.cancelled() and (error := task.exception()):
        log.error("the chain of project %s could not be verified", project_id, exc_info=error)
