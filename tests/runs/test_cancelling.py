"""Cancelling from wherever a task is: nothing runs any more, nothing is lost, and the next start is a clean one."""

import asyncio
from typing import Any

import pytest

from app.agents.rows import get_agent
from app.configuration.sources import Configuration
from app.errors import Conflict
from app.postgres.reading import scalar
from app.processes import trees
from app.reviews.approving import approve
from app.runners.base import ErrorType
from app.runs import driving
from app.runs.cancelling import cancel, discard_branch
from app.runs.claiming import claim_next
from app.runs.configured import configured
from app.runs.rows import runs_of_task
from app.sessions.rows import get_session
from app.tasks.creating import create_task
from app.tasks.forms import NewTask
from app.tasks.rows import TaskRow, get_task
from app.tasks.starting import start
from app.worktrees.rows import get_worktree
from tests.git.repositories import user
from tests.workshop import MARA, Workshop

SLEEP = "echo $$ > pid; echo work > work.txt; exec tail -f /dev/null"


async def assert_back(workshop: Workshop, task: TaskRow, agent_status: str = "idle") -> TaskRow:
    """The card is in Backlog, its agent free, its session closed, its worktree gone."""
    task = await get_task(task.id)
    assert (task.column, task.position, task.agent_id, task.started_at) == ("backlog", 0, None, None)
    assert task.metadata.pending is None
    assert await scalar("SELECT count(*) FROM agents WHERE current_task_id IS NOT NULL") == 0
    for run in await workshop.runs(task):
        assert not run.is_live
        assert trees.find_marked(run.id) == []
        assert (await get_agent(run.agent_id)).status == agent_status
    if task.session_id:
        assert not (await get_session(task.session_id)).is_active
    if task.worktree_id:
        worktree = await get_worktree(task.worktree_id)
        assert worktree.status == "removed"
        assert not worktree.root.exists()
    return task


async def test_from_the_queue(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", "echo $$ > pid; exec tail -f /dev/null")
    await workshop.task("Busy", agent=bob)
    await workshop.file("*/pid")
    waits = await workshop.task("Waits", agent=bob)
    back = await cancel(waits.id, actor=MARA)
    assert (back.column, back.session_id, back.worktree_id) == ("backlog", None, None)


async def test_from_the_middle_of_its_set_up(workshop: Workshop) -> None:
    await workshop.configure(install_command=("sh", "-c", "echo $$ > pid; exec tail -f /dev/null"))
    task = await workshop.task("Count", agent=await workshop.agent("bob", "true"))
    pid = int((await workshop.file("*/pid")).read_text())
    await cancel(task.id, actor=MARA)
    assert not trees.is_alive(pid, None)
    await assert_back(workshop, task)


async def test_from_just_before_its_set_up(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    await workshop.configure(install_command=("sh", "-c", "exec tail -f /dev/null"))
    reading, heard, goes_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
    stop = driving.Drive.stop

    async def slowly(*what: Any) -> Configuration:
        reading.set()
        await goes_on.wait()
        return await configured(*what)

    async def stopping(drive: driving.Drive, reason: ErrorType) -> None:
        await stop(drive, reason)
        heard.set()

    monkeypatch.setattr(driving, "configured", slowly)
    monkeypatch.setattr(driving.Drive, "stop", stopping)
    task = await workshop.task("Count", agent=await workshop.agent("bob", "true"))
    await reading.wait()
    cancelling = asyncio.create_task(cancel(task.id, actor=MARA))
    await heard.wait()
    goes_on.set()
    await cancelling
    await assert_back(workshop, task)


async def test_from_a_run_that_goes_on(workshop: Workshop) -> None:
    task = await workshop.task("Watch", agent=await workshop.agent("bob", SLEEP))
    pid = int((await workshop.file("*/pid")).read_text())
    await cancel(task.id, actor=MARA)
    assert not trees.is_alive(pid, None)
    task = await assert_back(workshop, task)
    assert user(workshop.root, "show", f"{task.branch}:work.txt") == "work"
    assert [run.error_type for run in await workshop.runs(task)] == ["stopped"]


async def test_from_an_error(workshop: Workshop) -> None:
    task = await workshop.task("Break", agent=await workshop.agent("bob", "echo work > work.txt; exit 1"))
    await workshop.until(task, "error")
    await cancel(task.id, actor=MARA)
    task = await assert_back(workshop, task)
    assert user(workshop.root, "show", f"{task.branch}:work.txt") == "work"


async def test_from_waiting_for_approval_with_a_file_a_person_wrote_meanwhile(workshop: Workshop) -> None:
    task = await workshop.done("Count", "echo eight > spokes.txt")
    ((await get_worktree(task.worktree_id)).root / "mine.txt").write_text("mine\n")
    await cancel(task.id, actor=MARA)
    task = await assert_back(workshop, task, "completed")
    assert user(workshop.root, "show", f"{task.branch}:mine.txt") == "mine"


async def test_started_again_it_goes_on_from_its_branch_in_the_same_session(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", "ls > seen.txt; echo work > work.txt")
    task = await workshop.until(await workshop.task("Count", agent=bob), "waiting_approval")
    cancelled = await cancel(task.id, actor=MARA)
    await start(task.id, actor=MARA)
    again = await workshop.until(task, "waiting_approval")
    assert (again.session_id, again.branch) == (cancelled.session_id, cancelled.branch)
    assert again.worktree_id != cancelled.worktree_id
    assert (await get_session(again.session_id)).is_active
    assert "work.txt" in user(workshop.root, "show", f"{task.branch}:seen.txt")


async def test_discarding_starts_anew_and_archives_the_commits(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", "ls > seen.txt; echo work > work.txt")
    task = await workshop.until(await workshop.task("Count", agent=bob), "waiting_approval")
    back = await cancel(task.id, actor=MARA, discard=True)
    assert (back.branch, back.worktree_id) == (None, None)
    assert user(workshop.root, "branch", "--format=%(refname:short)") == "main"
    assert user(workshop.root, "show", f"refs/agentpane/archive/{task.worktree_id}:work.txt") == "work"
    await start(task.id, actor=MARA)
    again = await workshop.until(task, "waiting_approval")
    assert "work.txt" not in user(workshop.root, "show", f"{again.branch}:seen.txt")


async def test_discarding_forgets_the_conversation(workshop: Workshop) -> None:
    line = '{"type": "system", "subtype": "init", "session_id": "native-1", "model": "m"}'
    bob = await workshop.agent("bob", f"echo '{line}'; exit 0")
    task = await workshop.until(await workshop.task("Count", agent=bob), "waiting_approval")
    assert (await workshop.runs(task))[0].native_session_id == "native-1"
    await cancel(task.id, actor=MARA, discard=True)
    assert (await workshop.runs(task))[0].native_session_id is None


@pytest.mark.parametrize("column", ["backlog", "verified"])
async def test_what_nobody_works_on_cannot_be_cancelled(workshop: Workshop, column: str) -> None:
    if column == "backlog":
        task = await workshop.task("Count", start=False)
    else:
        task = await workshop.done("Count", "echo eight > spokes.txt")
        await approve(task.id, await workshop.approval(task), MARA)
    with pytest.raises(Conflict) as refused:
        await cancel(task.id, actor=MARA)
    assert refused.value.code == "TASK_INVALID_TRANSITION"


async def test_of_two_at_once_one_wins(workshop: Workshop) -> None:
    task = await workshop.task("Watch", agent=await workshop.agent("bob", SLEEP))
    await workshop.file("*/pid")
    both = await asyncio.gather(*(cancel(task.id, actor=MARA) for _ in range(2)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in both) == ["Conflict", "TaskRow"]
    await assert_back(workshop, task)


async def test_an_agent_that_begins_in_the_same_moment_is_stopped_too(workshop: Workshop) -> None:
    """A cancel looks for a run, then moves the card: an engine may begin the task in between."""
    for attempt in range(8):
        bob = await workshop.agent(f"bob-{attempt}", SLEEP)
        task = await workshop.task(f"Watch {attempt}", agent=bob)
        await asyncio.sleep(attempt * 0.004)
        await cancel(task.id, actor=MARA)
        assert (await get_task(task.id)).column == "backlog"
        assert not any(run.is_live for run in await runs_of_task(task.id))
        assert (await get_agent(bob.id)).status == "idle"


async def test_a_run_that_was_begun_before_the_card_moved_is_found(database: str, project) -> None:
    """The same without luck: the claim is made while the cancel waits for the project's lock."""
    task = await create_task(project.id, NewTask(title="Watch", start=True), MARA)
    cancelling = asyncio.create_task(cancel(task.id, actor=MARA))
    claim = await claim_next(project.id)
    try:
        await asyncio.wait_for(asyncio.shield(cancelling), 0.5)
    except TimeoutError:
        # It waits for the end of the run, which nobody drives here.
        assert (await get_task(task.id)).column == "in_progress"
        (run,) = await runs_of_task(task.id)
        assert (run.id, run.stop_requested) == (claim.run_id, "stopped")
    else:
        assert claim is None
        assert (await get_task(task.id)).column == "backlog"
    finally:
        cancelling.cancel()
        await asyncio.gather(cancelling, return_exceptions=True)


async def test_a_task_that_was_started_again_keeps_its_branch(workshop: Workshop) -> None:
    task = await workshop.done("Count", "echo eight > spokes.txt")
    await cancel(task.id, actor=MARA)
    worktree = await get_worktree(task.worktree_id)
    await start(task.id, actor=MARA)
    with pytest.raises(Conflict, match="so the branch stays"):
        await discard_branch(await get_task(task.id), worktree, MARA)
    again = await workshop.until(task, "waiting_approval")
    assert user(workshop.root, "show", f"{again.branch}:spokes.txt") == "eight"
