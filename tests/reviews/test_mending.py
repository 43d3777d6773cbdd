"""A server that ended in the middle of an approval: the next start finishes the merge, or takes it back."""

import pytest

from app.errors import Conflict
from app.git.advancing import advance
from app.git.merging import merge_commit
from app.git.repository import inspect
from app.ids import create_id
from app.postgres.reading import execute, scalar
from app.projects.locking import locked
from app.reviews.approving import approve
from app.reviews.comparing import Comparison, compare
from app.reviews.journal import MergeJournal
from app.reviews.mending import mend_merges
from app.reviews.rejecting import reject
from app.reviews.tables import Merge
from app.reviews.undoing import journaled, merge_of, plan, undo
from app.tasks.rows import TaskRow, get_task
from app.worktrees.merging import hold_in_lock
from app.worktrees.rows import get_worktree
from tests.git.repositories import ADA, commit, user, write
from tests.workshop import MARA, Workshop


async def begun(task: TaskRow) -> tuple[Comparison, MergeJournal]:
    """An approval up to its journal: the worktree is held, the merge is written, nothing has moved."""
    shown = await compare(task)
    async with locked(task.project_id):
        await hold_in_lock(shown.worktree)
    new = await merge_commit(shown.root, "merge", shown.base, shown.head, task.title, author=ADA)
    merge = Merge(
        id=create_id(),
        project_id=task.project_id,
        task_id=task.id,
        digest=shown.digest,
        method="merge",
        base_branch="main",
        branch=task.branch,
        old_oid=shown.base,
        new_oid=new,
        merged_by="Mara Lindqvist",
    )
    await Merge.insert(merge)
    return shown, MergeJournal(merge.id, new)


async def statuses() -> str:
    return await scalar("SELECT string_agg(status, ',' ORDER BY created_at) FROM merges")


async def assert_finished(workshop: Workshop, task: TaskRow, journal: MergeJournal) -> None:
    verified = await get_task(task.id)
    assert (verified.column, verified.approved_by) == ("verified", "Mara Lindqvist")
    assert await statuses() == "done"
    assert user(workshop.root, "rev-parse", "main") == journal.new_oid
    assert user(workshop.root, "status", "--porcelain") == ""
    assert (await get_worktree(task.worktree_id)).status == "removed"
    decision = await scalar("SELECT payload ->> 'commit' FROM events WHERE kind = 'decision' AND subject = $1", task.id)
    assert decision == journal.new_oid


async def test_between_the_base_and_the_database(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", "echo eight > spokes.txt")
    shown, journal = await begun(task)
    await advance(await inspect(workshop.root), "main", shown.base, journal.new_oid, journal)
    await mend_merges()
    await assert_finished(workshop, task, journal)
    await mend_merges()
    await assert_finished(workshop, task, journal)


async def test_and_a_person_has_committed_on_it_since(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", "echo eight > spokes.txt")
    shown, journal = await begun(task)
    await advance(await inspect(workshop.root), "main", shown.base, journal.new_oid, journal)
    commit(workshop.root, {"mine.txt": "mine\n"})
    await mend_merges()
    assert (await get_task(task.id)).column == "verified"
    assert user(workshop.root, "rev-parse", "main^1") == journal.new_oid


async def test_when_only_the_files_had_begun_to_change(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", "echo eight > spokes.txt; echo rim > rim.txt")
    shown, journal = await begun(task)
    await journal.open(workshop.root, shown.base, journal.new_oid)
    write(workshop.root, {"rim.txt": "rim\n"})
    await mend_merges()
    await assert_finished(workshop, task, journal)


async def test_before_anything_had_changed(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", "echo eight > spokes.txt")
    shown, _ = await begun(task)
    await mend_merges()
    assert await statuses() == "refused"
    assert (await get_task(task.id)).column == "waiting_approval"
    assert (await get_worktree(task.worktree_id)).status == "active"
    assert user(workshop.root, "rev-parse", "main") == shown.base


async def test_a_file_that_a_person_has_changed_since_is_left_to_them(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", "echo eight > spokes.txt")
    shown, journal = await begun(task)
    await journal.open(workshop.root, shown.base, journal.new_oid)
    write(workshop.root, {"spokes.txt": "my own count\n"})
    await mend_merges()
    assert await statuses() == "refused"
    assert (workshop.root / "spokes.txt").read_text() == "my own count\n"
    assert user(workshop.root, "rev-parse", "main") == shown.base
    assert (await get_worktree(task.worktree_id)).status == "active"


async def test_before_the_merge_was_even_written(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", "echo eight > spokes.txt")
    async with locked(task.project_id):
        await hold_in_lock(await get_worktree(task.worktree_id))
    await mend_merges()
    assert (await get_worktree(task.worktree_id)).status == "active"


async def test_in_the_middle_of_taking_a_worktree_down(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", "echo eight > spokes.txt")
    await execute("UPDATE worktrees SET status = 'removing' WHERE id = $1", task.worktree_id)
    await mend_merges()
    worktree = await get_worktree(task.worktree_id)
    assert worktree.status == "removed"
    assert not worktree.root.exists()
    assert user(workshop.root, "show", f"{task.branch}:spokes.txt") == "eight"


async def test_a_merge_that_breaks_off_half_way_holds_the_task_until_a_start_finishes_it(workshop: Workshop) -> None:
    user(workshop.root, "config", "filter.broken.clean", "cat")
    user(workshop.root, "config", "filter.broken.smudge", "false")
    user(workshop.root, "config", "filter.broken.required", "true")
    script = "echo 'z.txt filter=broken' > .gitattributes; echo eight > a.txt; echo nine > z.txt"
    task = await workshop.done("Count the spokes", script)
    # git writes a.txt and then cannot write z.txt.
    with pytest.raises(Conflict) as refused:
        await approve(task.id, await workshop.approval(task), MARA)
    assert refused.value.code == "CHECKOUT_BUSY"
    assert (workshop.root / "a.txt").exists()
    assert not (workshop.root / "z.txt").exists()
    for decision in (approve(task.id, await workshop.approval(task), MARA), reject(task.id, "No.", MARA)):
        with pytest.raises(Conflict):
            await decision
    # As long as the reason is there a start changes nothing.
    await mend_merges()
    assert (await get_worktree(task.worktree_id)).status == "merging"
    user(workshop.root, "config", "filter.broken.smudge", "cat")
    await mend_merges()
    assert (await get_task(task.id)).column == "verified"
    assert (workshop.root / "z.txt").read_text() == "nine\n"
    assert user(workshop.root, "status", "--porcelain") == ""
    assert await statuses() == "done"


class TestUndo:
    """A server that ended in the middle of an undo: the next start finishes it, or it never was."""

    async def begun(self, workshop: Workshop, *, advanced: bool) -> TaskRow:
        """A merged task whose undo stands in the journal, with or without the base having moved."""
        task = await workshop.done("Count the spokes", "echo eight > spokes.txt")
        await approve(task.id, await workshop.approval(task), MARA)
        merge, repository = await merge_of(task), await inspect(workshop.root)
        assert merge is not None
        base = user(workshop.root, "rev-parse", "main")
        planned = await plan(repository, task, merge, base, "Wrong count", MARA)
        journal = await journaled(task, merge, base, planned, "Wrong count", MARA)
        if advanced:
            await advance(repository, "main", base, planned.revert, journal)
        return task

    async def test_after_the_base_had_moved_it_is_finished(self, workshop: Workshop) -> None:
        task = await self.begun(workshop, advanced=True)
        assert (await get_task(task.id)).column == "verified"
        await mend_merges()
        reopened = await get_task(task.id)
        assert (reopened.column, reopened.branch) == ("backlog", task.branch)
        assert user(workshop.root, "show", f"{task.branch}:spokes.txt") == "eight"
        assert user(workshop.root, "status", "--porcelain") == ""
        assert not (workshop.root / "spokes.txt").exists()
        assert await scalar("SELECT array_agg(kind || ' ' || status ORDER BY kind) FROM merges") == [
            "merge undone",
            "undo done",
        ]

    async def test_before_anything_had_moved_it_is_given_up(self, workshop: Workshop) -> None:
        task = await self.begun(workshop, advanced=False)
        await mend_merges()
        assert (await get_task(task.id)).column == "verified"
        assert (workshop.root / "spokes.txt").exists()
        assert await scalar("SELECT status FROM merges WHERE kind = 'undo'") == "refused"
        assert (await undo(task.id, "Wrong count", MARA)).column == "backlog"
