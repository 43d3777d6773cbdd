"""Who looks at a session: an entry per person in `sessions.active_users` that lives for seconds unless renewed."""

import time

import msgspec

from app.accounts.people import Person
from app.events.recording import SYSTEM, Actor, record
from app.postgres.reading import execute, rows
from app.projects.locking import locked
from app.sessions.rows import SELECT_SESSION, Presence, SessionRow, get_session

#: How often a page says that it is still there, in seconds.
RENEW_S = 10
#: Seconds without a word after which a person is gone.
LIFE_S = 25


async def renew(session_id: str, person: Person) -> SessionRow:
    """The person looks at the session now; the others hear of it when that is new. Three tabs are one entry."""
    session = await get_session(session_id)
    async with locked(session.project_id):
        session = await get_session(session_id)
        alive = _alive(session)
        joined = next((p.joined_at for p in alive if p.user_id == person.id), _now())
        me = Presence(user_id=person.id, joined_at=joined, last_seen=_now(), name=person.name)
        others = tuple(p for p in alive if p.user_id != person.id)
        await _store(session, (*others, me), person.actor)
    return await get_session(session_id)


async def expire() -> None:
    """Drop whoever was silent for longer than their entry lives; called every few seconds."""
    for seen in await rows(SessionRow, f"{SELECT_SESSION} WHERE jsonb_array_length(active_users) > 0"):
        if len(_alive(seen)) < len(seen.active_users):
            async with locked(seen.project_id):
                session = await get_session(seen.id)
                await _store(session, _alive(session), SYSTEM)


async def _store(session: SessionRow, present: tuple[Presence, ...], actor: Actor) -> None:
    """Write who is there; an event only when the set of people changed, so that renewing costs no history."""
    await execute(
        "UPDATE sessions SET active_users = $2 WHERE id = $1", session.id, msgspec.json.encode(present).decode()
    )
    before, after = {p.user_id for p in session.active_users}, {p.user_id for p in present}
    if before - after:
        await _tell(session, SYSTEM, "left", present)
    if after - before:
        await _tell(session, actor, "joined", present)


async def _tell(session: SessionRow, actor: Actor, change: str, present: tuple[Presence, ...]) -> None:
    payload = {"users": [p.user_id for p in present], "change": change}
    await record(
        session.project_id, "presence", actor=actor, subject=session.id, session_id=session.id, payload=payload
    )


def _alive(session: SessionRow) -> tuple[Presence, ...]:
    horizon = _now() - LIFE_S * 1000
    return tuple(p for p in session.active_users if p.last_seen >= horizon)


def _now() -> int:
    return int(time.time() * 1000)
