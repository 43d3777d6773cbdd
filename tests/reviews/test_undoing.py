"""Undoing takes exactly one merge back, opens the task again, and brings its branch back so that it can merge anew."""

import asyncio

import pytest

from app.errors import Conflict, NotFound
from app.events.reading import of_subject
from app.git.refs import is_ancestor
from app.postgres.reading import scalar
from app.reviews.approving import approve
from app.reviews.undoing import undo
from app.runs.rows import runs_of_task
from app.tasks.rows import TaskRow, get_task
from app.tasks.starting import start
from tests.git.repositories import commit, state, user, write
from tests.workshop import MARA, Workshop

ADD_FILE = "[ -f spokes.txt ] && echo nine > spokes.txt || echo eight > spokes.txt"


async def verified(workshop: Workshop, **form: object) -> TaskRow:
    """A task that added `spokes.txt` and was merged."""
    task = await workshop.done("Count the spokes", ADD_FILE)
    return await approve(task.id, await workshop.approval(task, **form), MARA)


async def refused(code: str, task: TaskRow, workshop: Workshop) -> Conflict:
    """The refusal of an undo, after which the repository and the task are as they were."""
    before = state(workshop.root)
    with pytest.raises(Conflict) as raised:
        await undo(task.id, "Wrong count", MARA)
    assert raised.value.code == code
    assert state(workshop.root) == before
    assert (await get_task(task.id)).column == "verified"
    return raised.value


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_an_undone_task_goes_on_and_merges_again(workshop: Workshop, method: str) -> None:
    task = await verified(workshop, merge_method=method)
    merged = user(workshop.root, "rev-parse", "main")
    commit(workshop.root, {"rim.txt": "steel\n"}, "Later, by hand")
    undone = await undo(task.id, "Nine, not eight", MARA)
    # The file is gone from the base and from the person's copy, what came later stays, and history is only added to.
    assert (undone.column, undone.position, undone.approved_at, undone.branch) == ("backlog", 0, None, task.branch)
    assert sorted(user(workshop.root, "ls-files").split()) == ["README.md", "rim.txt"]
    assert not (workshop.root / "spokes.txt").exists()
    assert user(workshop.root, "status", "--porcelain") == ""
    assert await is_ancestor(workshop.root, merged, "refs/heads/main")
    assert user(workshop.root, "log", "-1", "--format=%s", "main") == 'Revert "Count the spokes"'
    # The next run finds its files, is told why, and all of its work comes in.
    await start(task.id, actor=MARA)
    again = await workshop.until(task, "waiting_approval")
    newest = (await runs_of_task(task.id))[0]
    assert (newest.cause, "Nine, not eight" in newest.prompt) == ("undo", True)
    await approve(task.id, await workshop.approval(again), MARA)
    assert (workshop.root / "spokes.txt").read_text() == "nine\n"
    assert (workshop.root / "rim.txt").read_text() == "steel\n"
    assert user(workshop.root, "status", "--porcelain") == ""
    assert user(workshop.root, "fsck", "--strict", "--no-dangling") == ""


async def test_the_decision_is_on_record(workshop: Workshop) -> None:
    task = await verified(workshop)
    await undo(task.id, "Wrong count", MARA)
    decided = [event for event in await of_subject(task.project_id, task.id) if event.kind == "task.decided"]
    assert [(e.actor, e.payload["decision"], e.payload.get("text")) for e in decided] == [
        ("Mara Lindqvist", "approved", None),
        ("Mara Lindqvist", "undone", "Wrong count"),
    ]
    assert decided[1].payload["commit"] == user(workshop.root, "rev-parse", "main")


async def test_later_work_that_builds_on_it_keeps_it(workshop: Workshop) -> None:
    task = await verified(workshop)
    commit(workshop.root, {"spokes.txt": "eight and a half\n"}, "Build on it")
    refusal = await refused("UNDO_CONFLICT", task, workshop)
    assert refusal.details["paths"] == ["spokes.txt"]


async def test_a_local_edit_of_a_file_in_the_way_is_named_and_kept(workshop: Workshop) -> None:
    task = await verified(workshop)
    write(workshop.root, {"spokes.txt": "my own\n"})
    assert (await refused("CHECKOUT_DIRTY", task, workshop)).details["paths"] == ["spokes.txt"]


async def test_what_is_not_in_the_base_any_more_cannot_be_undone(workshop: Workshop) -> None:
    task = await verified(workshop)
    user(workshop.root, "reset", "--hard", "-q", "HEAD^1")
    await refused("MERGE_NOT_FOUND", task, workshop)


async def test_what_was_taken_back_by_hand_cannot_be_undone(workshop: Workshop) -> None:
    task = await verified(workshop)
    user(workshop.root, "rm", "-q", "spokes.txt")
    user(workshop.root, "commit", "-qm", "Taken back by hand")
    await refused("MERGE_NOT_FOUND", task, workshop)


async def test_a_branch_that_somebody_has_checked_out_is_not_moved(workshop: Workshop) -> None:
    task = await verified(workshop, keep_branch=True)
    user(workshop.root, "worktree", "add", "-q", str(workshop.folder / "mine"), task.branch or "")
    await refused("CHECKOUT_BUSY", task, workshop)


async def test_of_two_people_one_undoes(workshop: Workshop) -> None:
    task = await verified(workshop)
    answers = await asyncio.gather(*(undo(task.id, "Wrong", MARA) for _ in range(2)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {TaskRow, Conflict}
    assert user(workshop.root, "log", "--format=%s", "main").count("Revert") == 1
    assert await scalar("SELECT count(*) FROM merges WHERE status IN ('prepared', 'advancing')") == 0


async def test_accepted_work_is_only_opened_again(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", ADD_FILE)
    await approve(task.id, await workshop.approval(task, accept_without_merge=True), MARA)
    before = state(workshop.root)
    assert (await undo(task.id, "After all", MARA)).column == "backlog"
    assert state(workshop.root) == before


async def test_only_verified_work_can_be_undone(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", ADD_FILE)
    with pytest.raises(Conflict, match="it cannot undo now"):
        await undo(task.id, "Wrong", MARA)
    with pytest.raises(NotFound):
        await undo("a" * 24, "Wrong", MARA)
