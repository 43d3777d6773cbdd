"""Conflicting work goes back with the conflict in its worktree; whatever the agent does then, no side loses a line."""

import asyncio
import os

import pytest

from app.errors import Conflict
from app.events.reading import of_subject
from app.git.refs import is_ancestor
from app.reviews.approving import approve
from app.reviews.comparing import compare
from app.reviews.resolving import send_back_with_conflict
from app.runs.cancelling import cancel
from app.tasks.rows import TaskRow, get_task
from app.worktrees.rows import get_worktree
from tests.git.pictures import picture
from tests.git.repositories import commit, user, write
from tests.visitor import Visitor
from tests.workshop import MARA, Workshop

SAYS = "echo by the agent > README.md"
#: First says who, then does what a test asks of it with the conflict.
AGAIN = """if git rev-parse -q --verify MERGE_HEAD; then cat > "$AGENTPANE_WORKTREE/asked.txt"
{}
else echo by the agent > README.md; fi"""


async def conflicting(workshop: Workshop, then: str) -> TaskRow:
    """Work whose agent does `then` when it is sent back, against a base that has changed the same line."""
    task = await workshop.done("Say who", AGAIN.format(then))
    commit(workshop.root, {"README.md": "by the person\n"}, "Mine")
    return task


async def sent_back(workshop: Workshop, then: str) -> TaskRow:
    task = await conflicting(workshop, then)
    await send_back_with_conflict(task.id, MARA)
    return await workshop.until(task, "waiting_approval")


async def test_the_agent_is_told_the_files_and_resolves_them_in_the_open_merge(workshop: Workshop) -> None:
    task = await conflicting(
        workshop, "echo by both > README.md; git add -A; git -c user.name=A -c user.email=a@x commit -qm Resolved"
    )
    before, base = picture(workshop.root), user(workshop.root, "rev-parse", "main")
    again = await send_back_with_conflict(task.id, MARA)
    assert (again.column, again.position, again.rejection_count) == ("in_progress", 0, 1)
    assert again.rejection_reason == "main conflicts with this work in README.md."
    task = await workshop.until(task, "waiting_approval")
    assert picture(workshop.root) == before
    first, second = await workshop.runs(task)
    assert (second.cause, second.agent_id) == ("conflict", first.agent_id)
    worktree = (await get_worktree(task.worktree_id)).root
    asked = (worktree / "asked.txt").read_text()
    assert f"main ({base[:10]}) has changed" in asked
    assert "- README.md: both sides changed the same lines" in asked
    comparison = await compare(task)
    assert (comparison.conflicts, comparison.unresolved, comparison.behind) == ((), (), 0)
    await approve(task.id, await workshop.approval(task), MARA)
    assert (workshop.root / "README.md").read_text() == "by both\n"


async def test_the_decision_is_recorded_with_its_person_the_files_and_their_kinds(workshop: Workshop) -> None:
    task = await sent_back(workshop, "git checkout --ours README.md; git add README.md")
    decided = [event for event in await of_subject(task.project_id, task.id) if event.kind == "task.decided"]
    assert [(event.actor, event.payload["decision"], event.payload["conflicts"]) for event in decided] == [
        ("Mara Lindqvist", "conflict", [{"path": "README.md", "kind": "contents"}])
    ]


@pytest.mark.parametrize(
    ("then", "unresolved"),
    [("true", True), ("echo mine > README.md", False), ("git add README.md", True), ("git merge --abort", False)],
    ids=["left as it was", "edited, not staged", "marks staged", "aborted"],
)
async def test_half_resolved_work_is_kept_and_the_review_says_what_is_left(
    workshop: Workshop, visitor: Visitor, then: str, unresolved: bool
) -> None:
    task = await sent_back(workshop, then)
    worktree = (await get_worktree(task.worktree_id)).root
    base = user(workshop.root, "rev-parse", "main")
    assert user(worktree, "status", "--porcelain") == ""
    assert user(worktree, "rev-parse", "-q", "--verify", "MERGE_HEAD", check=False) == ""
    merged = await is_ancestor(worktree, base, "HEAD")
    assert merged == (then != "git merge --abort")
    comparison = await compare(task)
    assert comparison.unresolved == (("README.md",) if unresolved else ())
    assert bool(comparison.conflicts) == (not merged)
    if not unresolved:
        return
    page = await visitor.page(f"/tasks/{task.id}/review")
    assert "A conflict is left unresolved in 1 file" in page
    before = picture(workshop.root)
    answer = await visitor.send(f"/tasks/{task.id}/review", f"/tasks/{task.id}/approve")
    assert (answer.status_code, 'data-error-code="CHECKS_FAILED"' in answer.text) == (409, True)
    assert picture(workshop.root) == before
    # Sent back again, the agent is told of these files.
    await send_back_with_conflict(task.id, MARA)
    task = await workshop.until(task, "waiting_approval")
    runs = await workshop.runs(task)
    assert "committed with a conflict left in them, as marks or as one side only:\n\n- README.md" in runs[-1].prompt
    commit(worktree, {"README.md": "<<<<<<< HEAD\n=======\n>>>>>>> main\n"})
    # Never silently: with the tick it is merged, and the decision says so.
    await approve(task.id, await workshop.approval(task, despite_checks=True), MARA)
    decided = [event for event in await of_subject(task.project_id, task.id) if event.kind == "task.decided"]
    assert decided[-1].payload["despite"] == ["conflict left in README.md"]


async def test_uncommitted_files_are_saved_before(workshop: Workshop) -> None:
    task = await conflicting(workshop, "cp late.txt seen.txt; echo by both > README.md")
    write((await get_worktree(task.worktree_id)).root, {"late.txt": "late\n"})
    await send_back_with_conflict(task.id, MARA)
    task = await workshop.until(task, "waiting_approval")
    assert user(workshop.root, "show", f"{task.branch}:seen.txt") == "late"


async def test_a_file_in_the_way_stops_it_with_everything_as_it_was(workshop: Workshop) -> None:
    task = await conflicting(workshop, "true")
    root = (await get_worktree(task.worktree_id)).root
    write(root, {"hidden.env": "K=1\n"})
    commit(workshop.root, {"hidden.env": "tracked\n"})
    write(workshop.root, {".git/info/exclude": "hidden.env\n.worktrees/\n"})
    before = picture(root)
    with pytest.raises(Conflict) as refused:
        await send_back_with_conflict(task.id, MARA)
    assert (refused.value.code, refused.value.details["paths"]) == ("CHECKOUT_DIRTY", ["hidden.env"])
    assert picture(root) == before
    assert (await get_task(task.id)).column == "waiting_approval"
    assert (await get_worktree(task.worktree_id)).status == "active"


async def test_without_a_conflict_nothing_is_sent_back(workshop: Workshop) -> None:
    task = await workshop.done("Count", "echo eight > spokes.txt")
    commit(workshop.root, {"other.txt": "o\n"})
    with pytest.raises(Conflict) as refused:
        await send_back_with_conflict(task.id, MARA)
    assert (refused.value.code, (await get_task(task.id)).column) == ("TASK_STALE_DIFF", "waiting_approval")


async def test_names_that_are_not_utf_8_are_shown_and_resolved_like_others(
    workshop: Workshop, visitor: Visitor
) -> None:
    odd = os.fsdecode(b"l\xe9on.txt")
    task = await workshop.done("Say who", "printf agent > \"$(printf 'l\\351on.txt')\"")
    commit(workshop.root, {odd: "person\n"})
    with pytest.raises(Conflict) as refused:
        await approve(task.id, await workshop.approval(task), MARA)
    assert refused.value.details["conflicts"] == [{"path": "l\\xe9on.txt", "kind": "add/add"}]
    page = await visitor.send(f"/tasks/{task.id}/review", f"/tasks/{task.id}/conflict")
    assert page.status_code == 303
    task = await workshop.until(task, "waiting_approval")
    assert (await compare(task)).conflicts == ()


async def test_what_a_look_has_shown_is_kept_from_git_even_when_it_is_in_no_commit(workshop: Workshop) -> None:
    task = await workshop.done("Count", "echo eight > spokes.txt")
    root = (await get_worktree(task.worktree_id)).root
    write(root, {"late.txt": "only here\n"})
    shown = await compare(task)
    (root / "late.txt").unlink()
    user(workshop.root, "gc", "-q", "--prune=now")
    assert user(workshop.root, "show", f"{shown.tree}:late.txt") == "only here"


async def test_of_two_decisions_at_once_one_is_taken(workshop: Workshop) -> None:
    task = await conflicting(workshop, "sleep 30")
    both = await asyncio.gather(
        send_back_with_conflict(task.id, MARA), cancel(task.id, actor=MARA), return_exceptions=True
    )
    assert [isinstance(each, Conflict) for each in both].count(True) <= 1
    assert (await get_task(task.id)).column in ("in_progress", "backlog")
    with pytest.raises(Conflict) as refused:
        await send_back_with_conflict(task.id, MARA)
    assert refused.value.code == "TASK_INVALID_TRANSITION"
    await cancel(task.id, actor=MARA) if (await get_task(task.id)).column == "in_progress" else None


async def test_on_the_page_and_for_programs(workshop: Workshop, visitor: Visitor) -> None:
    task = await conflicting(workshop, "echo by both > README.md")
    review, digest = f"/tasks/{task.id}/review", (await compare(task)).digest
    token = {"x-csrftoken": (await visitor._form(review, f"/tasks/{task.id}/reject")).fields["_csrf_token"]}
    told = await visitor.client.post(
        f"/tasks/{task.id}/approve", data={"digest": digest}, headers={"accept": "application/json", **token}
    )
    assert (told.status_code, told.json()["error"]["code"]) == (409, "WORKTREE_MERGE_CONFLICT")
    assert told.json()["error"]["details"]["conflicts"] == [{"path": "README.md", "kind": "contents"}]
    answer = await visitor.send(review, f"/tasks/{task.id}/conflict")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sessions/{task.session_id}")
    await workshop.until(task, "waiting_approval")
    for path in (review, f"/sessions/{task.session_id}", f"/tasks/{task.id}"):
        assert "sent the conflict back" in (await visitor.page(path)).lower()
