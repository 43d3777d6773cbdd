"""The recovery page: what an interruption left, and a choice for each."""

import pytest

from app.agents.rows import get_agent
from app.errors import Conflict
from app.postgres.reading import execute, scalar
from app.projects.rows import ProjectRow
from app.runs.claiming import Claim, claim_next
from app.runs.interrupted import count_interrupted, interrupted_runs, keep
from app.runs.recovering import recover
from app.runs.retrying import retry
from app.runs.rows import get_run
from app.tasks.rows import get_task
from app.worktrees.rows import get_worktree
from tests.visitor import Visitor
from tests.work import begin
from tests.workshop import MARA

PAGE = "/system/recovery"


@pytest.fixture
async def claim(project: ProjectRow) -> Claim:
    """A run that the server interrupted, with one new file; its conversation is known."""
    claim = await begin(project.id, "Count the <spokes>")
    ((await get_worktree(claim.worktree_id)).root / "work.txt").write_text("one\ntwo\n")
    await execute("UPDATE run_details SET native_session_id = 'conversation-1' WHERE run_id = $1", claim.run_id)
    await execute("UPDATE run_details SET runner = 'claude'")
    await recover()
    return claim


async def test_it_lists_what_was_saved(claim: Claim, visitor: Visitor) -> None:
    (run,) = await interrupted_runs()
    assert (run.run_id, run.files_changed, run.lines_added, run.work_saved, run.resumable) == (
        claim.run_id, 1, 2, True, True,
    )  # fmt: skip
    page = await visitor.page(PAGE)
    assert "Count the &lt;spokes&gt;" in page
    assert run.branch in page
    assert "1 run was" in await visitor.page("/")


async def test_nothing_was_interrupted(project: ProjectRow, visitor: Visitor) -> None:
    assert "Nothing was interrupted" in await visitor.page(PAGE)
    assert "went away" not in await visitor.page("/")


async def test_resume_goes_on_in_the_same_conversation(claim: Claim, visitor: Visitor) -> None:
    answer = await visitor.send(PAGE, f"/agents/{claim.agent_id}/retry")
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert await count_interrupted() == 0
    again = await claim_next(claim.project_id)
    assert again is not None
    assert await scalar("SELECT native_session_id FROM run_details WHERE number = 2") == "conversation-1"
    assert (await get_run(again.run_id)).prompt.startswith("Your last run ended early")


async def test_restart_begins_a_fresh_one(claim: Claim, visitor: Visitor) -> None:
    forms = await visitor.page(PAGE)
    assert 'name="fresh"' in forms
    await visitor.post(f"/agents/{claim.agent_id}/retry", page=PAGE, fresh="true")
    again = await claim_next(claim.project_id)
    assert again is not None
    run = await get_run(again.run_id)
    assert (run.native_session_id, "Count the <spokes>" in run.prompt) == (None, True)
    assert (again.worktree_id, (await get_worktree(again.worktree_id)).status) == (claim.worktree_id, "active")


async def test_back_to_backlog_keeps_the_branch(claim: Claim, visitor: Visitor) -> None:
    await visitor.send(PAGE, f"/tasks/{claim.task_id}/cancel")
    task = await get_task(claim.task_id)
    assert (task.column, task.branch is not None) == ("backlog", True)
    assert (await get_agent(claim.agent_id)).status == "idle"
    assert await count_interrupted() == 0


async def test_keep_takes_it_off_the_page_and_nothing_else(claim: Claim, visitor: Visitor) -> None:
    answer = await visitor.send(PAGE, f"/runs/{claim.run_id}/keep")
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert await count_interrupted() == 0
    assert (await get_task(claim.task_id)).column == "in_progress"
    # The card still offers it.
    await retry(claim.agent_id, MARA)


async def test_only_an_interrupted_run_can_be_kept(claim: Claim, visitor: Visitor) -> None:
    await execute("UPDATE agent_runs SET error_type = 'stopped'")
    with pytest.raises(Conflict, match="was not interrupted"):
        await keep(claim.run_id, MARA)
    assert (await visitor.post(f"/runs/{claim.run_id}/keep")).status_code == 409
    assert (await visitor.post(f"/runs/{MARA.name}/keep")).status_code == 400
