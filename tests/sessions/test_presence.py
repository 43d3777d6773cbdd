"""Who looks at a session: people, not tabs, for as long as they look."""

import pytest

from app.accounts.people import Person
from app.events.reading import of_session
from app.postgres.reading import execute, scalar
from app.projects.rows import ProjectRow
from app.sessions import presence
from app.sessions.presence import LIFE_S, expire, renew
from app.sessions.queries import watchers
from app.sessions.rows import SessionRow, get_session
from tests.visitor import Visitor
from tests.work import begin

MARA, JO = Person("p1mara", "Mara"), Person("p2jo", "Jo")


@pytest.fixture
async def session(project: ProjectRow) -> SessionRow:
    """The session of a task that was begun."""
    return await get_session((await begin(project.id)).session_id)


async def changes(session: SessionRow) -> list[tuple[str, str, int]]:
    """Every change that was told: who, joined or left, and how many are there then."""
    events = [event for event in await of_session(session.id, 0) if event.kind == "presence"]
    return [(event.actor, event.payload["change"], len(event.payload["users"])) for event in events]


async def grow_old(session: SessionRow, person: Person, seconds: float) -> None:
    """As if the person had said nothing for so long."""
    await execute(
        "UPDATE sessions SET active_users = (SELECT jsonb_agg(CASE WHEN u ->> 'userId' = $2"
        " THEN u || jsonb_build_object('lastSeen', (u ->> 'lastSeen')::bigint - $3::bigint) ELSE u END)"
        " FROM jsonb_array_elements(active_users) u) WHERE id = $1",
        session.id,
        person.id,
        int(seconds * 1000),
    )


async def test_three_tabs_are_one_person(session: SessionRow) -> None:
    for _ in range(3):
        seen = await renew(session.id, MARA)
    assert [(p.user_id, p.name) for p in seen.active_users] == [("p1mara", "Mara")]
    seen = await renew(session.id, JO)
    assert [view.name for view in watchers(seen, JO)] == ["Jo", "Mara"]
    assert await changes(session) == [("Mara", "joined", 1), ("Jo", "joined", 2)]


async def test_renewing_keeps_when_they_came_and_says_nothing(session: SessionRow) -> None:
    first = (await renew(session.id, MARA)).active_users[0]
    await grow_old(session, MARA, LIFE_S / 2)
    again = (await renew(session.id, MARA)).active_users[0]
    assert again.joined_at == first.joined_at
    assert again.last_seen >= first.last_seen
    assert len(await changes(session)) == 1


async def test_who_is_silent_for_too_long_is_gone(session: SessionRow) -> None:
    await renew(session.id, MARA)
    await renew(session.id, JO)
    await grow_old(session, MARA, LIFE_S + 1)
    await expire()
    assert [p.user_id for p in (await get_session(session.id)).active_users] == ["p2jo"]
    await expire()
    assert (await changes(session))[2:] == [("AgentPane", "left", 1)]
    # And comes back as somebody new.
    await renew(session.id, MARA)
    assert (await changes(session))[3:] == [("Mara", "joined", 2)]


async def test_that_one_is_gone_is_not_told_as_the_arrival_of_another(session: SessionRow) -> None:
    await renew(session.id, MARA)
    await renew(session.id, JO)
    await grow_old(session, MARA, LIFE_S + 1)
    await renew(session.id, JO)
    assert (await changes(session))[2:] == [("AgentPane", "left", 1)]


async def test_the_document_has_the_keys_of_the_schema(session: SessionRow) -> None:
    await renew(session.id, MARA)
    keys = await scalar(
        "SELECT string_agg(k, ',' ORDER BY k) FROM sessions, jsonb_object_keys(active_users -> 0) k WHERE id = $1",
        session.id,
    )
    assert keys == "joinedAt,lastSeen,name,userId"


async def test_a_page_that_is_open_counts_and_says_so_every_few_seconds(visitor: Visitor, session: SessionRow) -> None:
    here = f"/sessions/{session.id}"
    page = await visitor.page(here)
    assert f'hx-post="{here}/presence" hx-trigger="load, every {presence.RENEW_S}s"' in page
    assert presence.RENEW_S * 2 < LIFE_S
    await visitor.page(here)
    assert len((await get_session(session.id)).active_users) == 1
    answer = await visitor.post(f"{here}/presence", here)
    assert answer.status_code == 303
    assert len(await changes(session)) == 1
