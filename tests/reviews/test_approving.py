"""Approving merges exactly what was shown, or changes nothing at all."""

import asyncio

import pytest

from app.errors import Conflict
from app.events.reading import of_subject
from app.git.advancing import advance
from app.projects.locking import locked
from app.reviews.approving import approve, tidy
from app.reviews.comparing import compare
from app.reviews.forms import Approval
from app.reviews.rejecting import reject
from app.reviews.saving import save_found
from app.runs.cancelling import cancel
from app.sessions.rows import get_session
from app.tasks.rows import get_task
from app.worktrees.merging import give_back, hold_in_lock
from app.worktrees.rows import get_worktree
from tests.git.repositories import commit, state, user, write
from tests.workshop import MARA, Workshop

ADD_FILE = "echo eight > spokes.txt"
EDIT_README = "echo by the agent > README.md"


async def refused(code: str, task, form: Approval) -> Conflict:
    """The refusal of an approval, after which the task still waits and its worktree is free for the next try."""
    with pytest.raises(Conflict) as raised:
        await approve(task.id, form, MARA)
    assert raised.value.code == code
    assert (await get_task(task.id)).column == "waiting_approval"
    assert (await get_worktree(task.worktree_id)).status == "active"
    return raised.value


async def test_the_branch_is_merged_and_everything_tidied(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", ADD_FILE)
    before = user(workshop.root, "rev-parse", "main")
    form = await workshop.approval(task)
    verified = await approve(task.id, form, MARA)
    assert (verified.column, verified.position, verified.approved_by) == ("verified", 0, "Mara Lindqvist")
    assert verified.approved_at is not None
    # A merge commit on what was there, in the person's copy too.
    assert user(workshop.root, "rev-parse", "main^1") == before
    assert user(workshop.root, "log", "-1", "--format=%s%n%b", "main").splitlines() == [
        "Count the spokes",
        f"Task {task.id[:6]}, approved by Mara Lindqvist",
    ]
    assert (workshop.root / "spokes.txt").read_text() == "eight\n"
    assert user(workshop.root, "status", "--porcelain") == ""
    # Worktree and branch are gone, the commits are kept, the session is closed, and the decision names the digest.
    assert (await get_worktree(task.worktree_id)).status == "removed"
    assert not (await get_worktree(task.worktree_id)).root.exists()
    assert user(workshop.root, "branch", "--format=%(refname:short)") == "main"
    assert user(workshop.root, "rev-parse", f"refs/agentpane/archive/{task.id}") == user(
        workshop.root, "rev-parse", "main^2"
    )
    assert not (await get_session(task.session_id)).is_active
    decided = [event for event in await of_subject(task.project_id, task.id) if event.kind == "task.decided"]
    assert [(e.actor, e.payload["decision"], e.payload["digest"], e.payload["commit"]) for e in decided] == [
        ("Mara Lindqvist", "approved", form.digest, user(workshop.root, "rev-parse", "main"))
    ]


async def test_squash_is_one_plain_commit_with_the_message_that_was_typed(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", f"{ADD_FILE}\ngit add -A; git commit -qm one; echo 9 > spokes.txt")
    before = user(workshop.root, "rev-parse", "main")
    await approve(task.id, await workshop.approval(task, merge_method="squash", message="Nine spokes"), MARA)
    assert user(workshop.root, "log", "-1", "--format=%P %s", "main") == f"{before} Nine spokes"
    assert (workshop.root / "spokes.txt").read_text() == "9\n"
    assert (await get_worktree(task.worktree_id)).status == "removed"


async def test_rebase_repeats_each_commit_on_a_base_that_has_moved(workshop: Workshop) -> None:
    script = f"""{ADD_FILE}
        git config user.name Agent; git config user.email agent@example.org
        git add -A; git commit -qm 'First step'; echo rim > rim.txt; git add -A; git commit -qm Second"""
    task = await workshop.done("Count the spokes", script)
    commit(workshop.root, {"other.txt": "mine\n"}, "Meanwhile on main")
    await approve(task.id, await workshop.approval(task, merge_method="rebase"), MARA)
    assert user(workshop.root, "log", "--format=%s", "main").splitlines() == [
        "Second",
        "First step",
        "Meanwhile on main",
        "First",
    ]
    assert user(workshop.root, "status", "--porcelain") == ""
    assert user(workshop.root, "branch", "--format=%(refname:short)") == "main"


async def test_the_branch_is_kept_on_demand(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", ADD_FILE)
    await approve(task.id, await workshop.approval(task, keep_branch=True), MARA)
    assert user(workshop.root, "rev-parse", task.branch) == user(workshop.root, "rev-parse", "main^2")
    assert (await get_worktree(task.worktree_id)).status == "removed"


async def test_accepting_without_a_merge_leaves_the_base_and_keeps_the_branch(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", ADD_FILE)
    before = user(workshop.root, "rev-parse", "main")
    verified = await approve(task.id, await workshop.approval(task, accept_without_merge=True), MARA)
    assert verified.column == "verified"
    assert user(workshop.root, "rev-parse", "main") == before
    assert user(workshop.root, "show", f"{task.branch}:spokes.txt") == "eight"
    assert (await get_worktree(task.worktree_id)).status == "removed"


@pytest.mark.parametrize("script", ["true", "echo '# Sample' > README.md"], ids=["no commit", "the same content"])
async def test_nothing_to_merge_can_only_be_accepted(workshop: Workshop, script: str) -> None:
    task = await workshop.done("Look around", script)
    await refused("TASK_NO_DIFF", task, await workshop.approval(task))
    await approve(task.id, await workshop.approval(task, accept_without_merge=True), MARA)
    assert (await get_task(task.id)).column == "verified"


async def test_what_came_into_the_base_by_another_way_is_nothing_to_merge(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", ADD_FILE)
    commit(workshop.root, {"spokes.txt": "eight\n"}, "Counted by hand")
    assert (await compare(task)).nothing_to_merge
    await refused("TASK_NO_DIFF", task, await workshop.approval(task))


class TestStale:
    """Whatever moved since the diff was shown voids the approval."""

    async def test_the_base_branch(self, workshop: Workshop) -> None:
        task = await workshop.done("Count the spokes", ADD_FILE)
        form = await workshop.approval(task)
        tip = commit(workshop.root, {"other.txt": "mine\n"})
        refusal = await refused("TASK_STALE_DIFF", task, form)
        assert refusal.details["shown"] == form.digest
        assert refusal.details["base"] == {"shown": form.base_oid, "now": tip}
        assert refusal.details["now"] == (await compare(task)).digest != form.digest
        assert user(workshop.root, "rev-parse", "main") == tip

    async def test_the_task_branch(self, workshop: Workshop) -> None:
        task = await workshop.done("Count the spokes", ADD_FILE)
        form = await workshop.approval(task)
        commit((await get_worktree(task.worktree_id)).root, {"late.txt": "late\n"}, "Late")
        await refused("TASK_STALE_DIFF", task, form)
        assert not (workshop.root / "late.txt").exists()

    async def test_a_file_in_the_worktree_which_is_saved_and_shown_next_time(self, workshop: Workshop) -> None:
        task = await workshop.done("Count the spokes", ADD_FILE)
        form = await workshop.approval(task)
        worktree = (await get_worktree(task.worktree_id)).root
        write(worktree, {"late.txt": "late\n"})
        await refused("TASK_STALE_DIFF", task, form)
        assert user(worktree, "status", "--porcelain") == ""
        await approve(task.id, await workshop.approval(task), MARA)
        assert (workshop.root / "late.txt").read_text() == "late\n"

    async def test_an_uncommitted_file_that_was_shown_is_committed_before_anybody_can_approve_it(
        self, workshop: Workshop
    ) -> None:
        task = await workshop.done("Count the spokes", ADD_FILE)
        write((await get_worktree(task.worktree_id)).root, {"late.txt": "late\n"})
        await refused("TASK_STALE_DIFF", task, await workshop.approval(task))
        await approve(task.id, await workshop.approval(task), MARA)
        assert (workshop.root / "late.txt").read_text() == "late\n"


async def test_a_merge_that_cannot_be_signed_changes_nothing(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", ADD_FILE)
    for name, value in {"commit.gpgsign": "true", "gpg.format": "ssh", "user.signingKey": "/no/such/key"}.items():
        user(workshop.root, "config", name, value)
    before = state(workshop.root)
    refusal = await refused("SIGNING_FAILED", task, await workshop.approval(task))
    assert "/no/such/key" in refusal.message
    assert {**state(workshop.root), "refs": before["refs"]} == before
    user(workshop.root, "config", "commit.gpgsign", "false")
    await approve(task.id, await workshop.approval(task), MARA)


async def test_a_squash_names_its_agent_as_co_author(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", ADD_FILE)
    await approve(task.id, await workshop.approval(task, merge_method="squash"), MARA)
    named = user(workshop.root, "log", "-1", "--format=%(trailers:key=Co-authored-by,valueonly)", "main")
    assert named == f"agent for Count the spokes <{task.agent_id}@agents.localhost>"


async def test_a_base_that_moves_between_the_look_and_the_advance_is_shown_anew(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await workshop.done("Count the spokes", ADD_FILE)
    form = await workshop.approval(task)

    async def commit_first(*args: object, **known: object) -> object:
        commit(workshop.root, {"other.txt": "mine\n"}, "Just now")
        return await advance(*args, **known)

    # The person's commit comes at the one moment that no lock of ours covers.
    monkeypatch.setattr("app.reviews.merging.advance", commit_first)
    await refused("TASK_STALE_DIFF", task, form)
    assert user(workshop.root, "log", "-1", "--format=%s", "main") == "Just now"
    monkeypatch.undo()
    await approve(task.id, await workshop.approval(task), MARA)
    assert user(workshop.root, "log", "-3", "--first-parent", "--format=%s", "main").splitlines()[:2] == [
        "Count the spokes", "Just now",
    ]  # fmt: skip


async def test_two_who_commit_the_same_files_at_once_are_no_fault_of_ours(workshop: Workshop) -> None:
    task = await workshop.done("Count", ADD_FILE)
    worktree = await get_worktree(task.worktree_id)
    for each in range(5):
        (worktree.root / f"later-{each}.txt").write_text("found at the review\n")
        ends = await asyncio.gather(*(save_found(task, worktree) for _ in range(3)), return_exceptions=True)
        assert all(end is None or (isinstance(end, Conflict) and end.code == "CHECKOUT_BUSY") for end in ends), ends
        assert None in ends
        assert user(workshop.root, "show", f"{worktree.branch}:later-{each}.txt") == "found at the review"


class TestAtTheSameMoment:
    """Exactly one decision wins."""

    async def test_of_two_approvals(self, workshop: Workshop) -> None:
        task = await workshop.done("Count the spokes", ADD_FILE)
        form = await workshop.approval(task)
        both = await asyncio.gather(*(approve(task.id, form, MARA) for _ in range(2)), return_exceptions=True)
        lost = [each for each in both if isinstance(each, Conflict)]
        assert [type(each).__name__ for each in both if each not in lost] == ["TaskRow"]
        assert [each.code for each in lost] in (["TASK_INVALID_TRANSITION"], ["TASK_STALE_DIFF"])
        assert user(workshop.root, "rev-list", "--count", "--first-parent", "main") == "2"
        assert (await get_worktree(task.worktree_id)).status == "removed"

    @pytest.mark.parametrize("otherwise", [lambda id: reject(id, "No.", MARA), lambda id: cancel(id, actor=MARA)])
    async def test_of_an_approval_and_its_opposite(self, workshop: Workshop, otherwise) -> None:
        task = await workshop.done("Count the spokes", ADD_FILE)
        form = await workshop.approval(task)
        both = await asyncio.gather(approve(task.id, form, MARA), otherwise(task.id), return_exceptions=True)
        assert [type(each).__name__ for each in both].count("TaskRow") == 1, both
        merged = user(workshop.root, "rev-list", "--count", "--first-parent", "main") == "2"
        assert merged == ((await get_task(task.id)).column == "verified") == (not isinstance(both[0], Conflict))

    async def test_while_one_merges_nobody_else_decides(self, workshop: Workshop) -> None:
        task = await workshop.done("Count the spokes", ADD_FILE)
        form = await workshop.approval(task)
        worktree = await get_worktree(task.worktree_id)
        async with locked(task.project_id):
            await hold_in_lock(worktree)
        for decision in (approve(task.id, form, MARA), reject(task.id, "No.", MARA), cancel(task.id, actor=MARA)):
            with pytest.raises(Conflict) as raised:
                await decision
            assert raised.value.code == "TASK_INVALID_TRANSITION"
        assert (await get_worktree(task.worktree_id)).status == "merging"
        await give_back(worktree)
        assert (await reject(task.id, "No.", MARA)).column == "in_progress"


async def test_a_conflict_names_the_files_and_changes_nothing(workshop: Workshop) -> None:
    task = await workshop.done("Say who", EDIT_README)
    commit(workshop.root, {"README.md": "by the person\n"}, "Mine")
    before = state(workshop.root)
    refusal = await refused("WORKTREE_MERGE_CONFLICT", task, await workshop.approval(task))
    assert refusal.details["paths"] == ["README.md"]
    assert "README.md" in refusal.message
    assert state(workshop.root)["git_dir"] == before["git_dir"]
    assert (workshop.root / "README.md").read_text() == "by the person\n"


class TestThePersonsOwnCopy:
    """What a merge would touch of theirs stops it; everything else stays as it is."""

    @pytest.mark.parametrize(
        ("script", "mine", "named"),
        [
            (EDIT_README, {"README.md": "half a sentence"}, "README.md"),
            (ADD_FILE, {"spokes.txt": "thirty-six\n"}, "spokes.txt"),
            (ADD_FILE, {"spokes.txt": "thirty-six\n", ".git/info/exclude": "spokes.txt\n"}, "spokes.txt"),
        ],
        ids=["edited", "untracked", "ignored"],
    )
    async def test_a_file_in_the_way_is_named_and_approving_works_when_it_is_gone(
        self, workshop: Workshop, script: str, mine: dict[str, str], named: str
    ) -> None:
        task = await workshop.done("Change it", script)
        write(workshop.root, mine)
        before = user(workshop.root, "rev-parse", "main")
        refusal = await refused("CHECKOUT_DIRTY", task, await workshop.approval(task))
        assert refusal.details["paths"] == [named]
        assert named in refusal.message
        assert (workshop.root / named).read_text() == mine[named]
        assert user(workshop.root, "rev-parse", "main") == before
        # The person puts their file elsewhere, and approves again.
        (workshop.root / named).rename(workshop.folder / "put aside")
        if named == "README.md":
            user(workshop.root, "checkout", "--", named)
        await approve(task.id, await workshop.approval(task), MARA)
        assert (await get_task(task.id)).column == "verified"
        assert user(workshop.root, "status", "--porcelain") == ""

    async def test_an_edit_elsewhere_stays_as_it_is(self, workshop: Workshop) -> None:
        task = await workshop.done("Change it", ADD_FILE)
        write(workshop.root, {"README.md": "half a sentence"})
        await approve(task.id, await workshop.approval(task), MARA)
        assert user(workshop.root, "status", "--porcelain") == "M README.md"
        assert (workshop.root / "README.md").read_text() == "half a sentence"

    async def test_another_branch_is_checked_out(self, workshop: Workshop) -> None:
        task = await workshop.done("Change it", ADD_FILE)
        user(workshop.root, "switch", "-q", "-c", "mine")
        write(workshop.root, {"spokes.txt": "thirty-six\n"})
        await approve(task.id, await workshop.approval(task), MARA)
        assert user(workshop.root, "show", "main:spokes.txt") == "eight"
        assert user(workshop.root, "status", "--porcelain") == "?? spokes.txt"
        assert user(workshop.root, "branch", "--show-current") == "mine"

    async def test_no_branch_is_checked_out(self, workshop: Workshop) -> None:
        task = await workshop.done("Change it", ADD_FILE)
        user(workshop.root, "checkout", "-q", "--detach")
        head = user(workshop.root, "rev-parse", "HEAD")
        await approve(task.id, await workshop.approval(task), MARA)
        assert user(workshop.root, "show", "main:spokes.txt") == "eight"
        assert user(workshop.root, "rev-parse", "HEAD") == head
        assert user(workshop.root, "status", "--porcelain") == ""

    async def test_a_git_at_work_there(self, workshop: Workshop) -> None:
        task = await workshop.done("Change it", ADD_FILE)
        lock = workshop.root / ".git" / "index.lock"
        lock.touch()
        await refused("CHECKOUT_BUSY", task, await workshop.approval(task))
        lock.unlink()
        await approve(task.id, await workshop.approval(task), MARA)
        assert (await get_task(task.id)).column == "verified"


@pytest.mark.parametrize("column", ["backlog", "verified"])
async def test_only_what_waits_for_approval_can_be_approved(workshop: Workshop, column: str) -> None:
    if column == "backlog":
        task, form = await workshop.task("Not yet", start=False), Approval(digest="sha256:0")
    else:
        task = await workshop.done("Change it", ADD_FILE)
        form = await workshop.approval(task)
        await approve(task.id, form, MARA)
    with pytest.raises(Conflict) as raised:
        await approve(task.id, form, MARA)
    assert raised.value.code == "TASK_INVALID_TRANSITION"


async def test_what_came_after_the_look_is_not_deleted_with_the_branch(workshop: Workshop) -> None:
    task = await workshop.done("Change it", ADD_FILE)
    shown = await compare(task)
    write(shown.root, {"late.txt": "late\n"})
    await tidy(task, shown.worktree, MARA, merged=True, delete_branch_at=shown.head)
    assert (await get_worktree(task.worktree_id)).status == "removed"
    assert user(workshop.root, "show", f"{task.branch}:late.txt") == "late"
