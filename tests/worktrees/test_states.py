"""The state machine of a worktree, pair by pair, in the database: what is not in this table is refused."""

from pathlib import Path
from typing import get_args

import pytest

from app.errors import Conflict
from app.events import reading
from app.postgres.reading import execute
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from app.worktrees import states
from app.worktrees.rows import WorktreeRow, WorktreeStatus, get_worktree
from app.worktrees.states import WorktreeEvent
from tests.work import MARA, begin

STATES: tuple[WorktreeStatus, ...] = get_args(WorktreeStatus)
EVENTS: tuple[WorktreeEvent, ...] = get_args(WorktreeEvent)
ALLOWED: dict[tuple[WorktreeStatus, WorktreeEvent], WorktreeStatus] = {
    ("creating", "finish"): "active",
    ("creating", "remove"): "removing",
    ("active", "make"): "creating",
    ("active", "hold"): "merging",
    ("active", "remove"): "removing",
    ("merging", "give_back"): "active",
    ("merging", "merge"): "removing",
    ("removing", "vanish"): "removed",
    ("error", "make"): "creating",
    ("error", "remove"): "removing",
    **{(state, "fail"): "error" for state in STATES if state != "removed"},  # type: ignore[dict-item]
}


@pytest.fixture
async def worktree(project: ProjectRow) -> WorktreeRow:
    """One that is active."""
    return await get_worktree((await begin(project.id)).worktree_id)


async def put(worktree: WorktreeRow, state: WorktreeStatus) -> None:
    await execute("UPDATE worktrees SET status = $2, last_error = 'before' WHERE id = $1", worktree.id, state)


@pytest.mark.parametrize("state", STATES)
async def test_every_pair_is_written_or_refused(worktree: WorktreeRow, state: WorktreeStatus) -> None:
    for event in EVENTS:
        await put(worktree, state)
        if target := ALLOWED.get((state, event)):
            error = "why" if event == "fail" else None
            await happen(worktree, event, error)
            now = await get_worktree(worktree.id)
            assert (now.status, now.last_error) == (target, error)
            continue
        with pytest.raises(Conflict) as refused:
            await happen(worktree, event)
        assert (refused.value.status, refused.value.code) == (409, "WORKTREE_INVALID_TRANSITION")
        assert f"This worktree is {state}" in refused.value.message
        assert set(refused.value.details["possible"]) == {move for place, move in ALLOWED if place == state}
        now = await get_worktree(worktree.id)
        assert (now.status, now.last_error) == (state, "before")


async def happen(worktree: WorktreeRow, event: WorktreeEvent, error: str | None = None) -> None:
    async with locked(worktree.project_id):
        await states.change(worktree, event, actor=MARA, error=error)


async def test_a_change_is_recorded_with_who_made_it(worktree: WorktreeRow) -> None:
    async with locked(worktree.project_id):
        await states.change(worktree, "hold", actor=MARA)
    assert worktree.task_id is not None
    event = (await reading.of_subject(worktree.project_id, worktree.task_id))[-1]
    assert (event.kind, event.actor_kind, event.actor) == ("worktree.merging", "person", "Mara Lindqvist")
    assert event.payload["worktree"] == worktree.id


async def test_a_refused_change_records_nothing(worktree: WorktreeRow) -> None:
    last = await reading.last_number(worktree.project_id)
    with pytest.raises(Conflict):
        async with locked(worktree.project_id):
            await states.change(worktree, "vanish")
    assert await reading.last_number(worktree.project_id) == last


def test_nothing_else_writes_the_status_of_a_worktree() -> None:
    app = Path(__file__).parents[2] / "app"
    marks = ("Worktree.status:", "UPDATE worktrees SET status")
    writers = {str(file.relative_to(app)) for file in app.rglob("*.py") if any(m in file.read_text() for m in marks)}
    assert writers == {"worktrees/states.py"}
