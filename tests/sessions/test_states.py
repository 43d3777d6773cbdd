"""The state machine of a session, pair by pair."""

from typing import get_args

import pytest

from app.errors import Conflict
from app.events import reading
from app.postgres.reading import execute
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from app.sessions import states
from app.sessions.rows import get_session
from app.sessions.states import SessionEvent, SessionState
from tests.work import MARA, begin

ALLOWED: dict[tuple[SessionState, SessionEvent], SessionState] = {
    ("active", "close"): "closed",
    ("closed", "reopen"): "active",
}


@pytest.mark.parametrize("before", get_args(SessionState))
@pytest.mark.parametrize("event", get_args(SessionEvent))
async def test_every_pair_is_allowed_or_refused(project: ProjectRow, before: SessionState, event: SessionEvent) -> None:
    session_id = (await begin(project.id)).session_id
    await execute("UPDATE sessions SET is_active = $2 WHERE id = $1", session_id, before == "active")
    number = await reading.last_number(project.id)
    target = ALLOWED.get((before, event))
    if target is None:
        with pytest.raises(Conflict) as refusal:
            async with locked(project.id):
                await states.change(session_id, project.id, event, actor=MARA)
        assert refusal.value.code == "SESSION_CLOSED"
        assert await reading.last_number(project.id) == number
    else:
        async with locked(project.id):
            await states.change(session_id, project.id, event, actor=MARA)
        told = (await reading.of_session(session_id, number))[-1]
        assert (told.kind, told.actor, told.payload["status"]) == ("status", "Mara Lindqvist", target)
    session = await get_session(session_id)
    assert session.is_active == ((target or before) == "active")
    if target is not None:
        assert (session.closed_at is None) == (target == "active")
