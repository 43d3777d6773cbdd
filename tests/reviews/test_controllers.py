"""The review page and its two forms, with JavaScript off and with htmx."""

import asyncio
import re

import pytest

from app.reviews.approving import approve
from app.reviews.comparing import compare
from app.tasks.rows import get_task
from app.worktrees.rows import get_worktree
from tests.git.repositories import commit, user, write
from tests.visitor import Visitor
from tests.workshop import MARA, Workshop

ADD_FILE = "echo eight > spokes.txt"
HOSTILE = '<script>alert("x")</script>'


async def test_the_page_shows_the_diff_and_the_digest_it_is_bound_to(visitor: Visitor, workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", ADD_FILE)
    page = await visitor.page(f"/tasks/{task.id}/review")
    assert f'data-diff-digest="{(await compare(task)).digest}"' in page
    assert "spokes.txt" in page
    assert "eight" in await visitor.page(f"/tasks/{task.id}/diff/spokes.txt")
    assert (await visitor.get(f"/tasks/{task.id}/diff/nothing.txt")).status_code == 404


async def test_approve_on_the_page(visitor: Visitor, workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", ADD_FILE)
    review = f"/tasks/{task.id}/review"
    answer = await visitor.send(review, f"/tasks/{task.id}/approve", approved_by="Una User", message="Eight spokes")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/tasks/{task.id}")
    assert user(workshop.root, "log", "-1", "--format=%s", "main") == "Eight spokes"
    assert (await get_task(task.id)).approved_by == "Una User"
    assert "Una User" in await visitor.page(f"/tasks/{task.id}")
    # Decided work has no review page any more, and the next page knows the name.
    assert (await visitor.get(review)).status_code == 303


async def test_who_looks_while_it_is_merged_sees_no_fault(visitor: Visitor, workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", "for n in 1 2 3 4 5 6 7 8 9; do echo $n > spoke-$n.txt; done")
    looks = (visitor.get(f"/tasks/{task.id}/review") for _ in range(25))
    _, *seen = await asyncio.gather(approve(task.id, await workshop.approval(task), MARA), *looks)
    assert {answer.status_code for answer in seen} <= {200, 303, 409}
    assert (await get_task(task.id)).column == "verified"


async def test_accept_without_a_merge_on_the_page(visitor: Visitor, workshop: Workshop) -> None:
    task = await workshop.done("Look around", "true")
    review = f"/tasks/{task.id}/review"
    assert "Accept, nothing to merge" in await visitor.page(review)
    answer = await visitor.send(review, f"/tasks/{task.id}/approve", accept_without_merge="true")
    assert answer.status_code == 303
    assert (await get_task(task.id)).column == "verified"


async def test_send_back_on_the_page(visitor: Visitor, workshop: Workshop) -> None:
    task = await workshop.done("Say it", "cat > asked.txt")
    answer = await visitor.send(f"/tasks/{task.id}/review", f"/tasks/{task.id}/reject", reason="Twice,\r\nplease.")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sessions/{task.session_id}")
    await workshop.until(task, "waiting_approval")
    assert (await get_task(task.id)).rejection_reason == "Twice,\nplease."
    page = await visitor.page(f"/tasks/{task.id}/review")
    assert "Twice," in page


@pytest.mark.parametrize("reason", ["", "   \n ", "x" * 1001])
async def test_a_reason_outside_of_the_limits_comes_back_with_what_was_typed(
    visitor: Visitor, workshop: Workshop, reason: str
) -> None:
    task = await workshop.done("Say it", ADD_FILE)
    for send in (visitor.send, visitor.send_htmx):
        answer = await send(f"/tasks/{task.id}/review", f"/tasks/{task.id}/reject", reason=reason)
        assert answer.status_code == 422
        assert 'id="f-reason-error"' in answer.text
        assert re.search(r'id="reject"[^>]* open', answer.text)
        assert f">\n{reason}</textarea>" in answer.text
    assert (await get_task(task.id)).column == "waiting_approval"


@pytest.mark.parametrize("length", [1, 1000])
async def test_a_reason_at_the_limits_is_taken(visitor: Visitor, workshop: Workshop, length: int) -> None:
    task = await workshop.done("Say it", ADD_FILE)
    # A line break counts as one character although browsers send two.
    reason = "x" if length == 1 else "x" * 998 + "\r\nx"
    answer = await visitor.send(f"/tasks/{task.id}/review", f"/tasks/{task.id}/reject", reason=reason)
    assert answer.status_code == 303
    assert len((await get_task(task.id)).rejection_reason) == length


@pytest.mark.parametrize(
    ("field", "value"), [("merge_method", "octopus"), ("message", "x" * 10_001), ("approved_by", "x" * 101)]
)
async def test_an_approval_with_a_wrong_field_comes_back_with_what_was_typed(
    visitor: Visitor, workshop: Workshop, field: str, value: str
) -> None:
    task = await workshop.done("Say it", ADD_FILE)
    typed = {"message": "What I typed", field: value}
    answer = await visitor.send(f"/tasks/{task.id}/review", f"/tasks/{task.id}/approve", **typed)
    assert answer.status_code == 422
    assert re.search(r'id="approve"[^>]* open', answer.text)
    assert 'class="field__error"' in answer.text
    assert typed["message"] in answer.text
    assert (await get_task(task.id)).column == "waiting_approval"


async def test_a_stale_diff_is_shown_anew_and_says_so(visitor: Visitor, workshop: Workshop) -> None:
    task = await workshop.done("Say it", ADD_FILE)
    review = f"/tasks/{task.id}/review"
    shown, first = (await compare(task)).digest, user(workshop.root, "rev-parse", "main")
    tip = commit(workshop.root, {"other.txt": "mine\n"})
    for send in (visitor.send, visitor.send_htmx):
        answer = await send(review, f"/tasks/{task.id}/approve", digest=shown, base_oid=first, message="What I typed")
        assert answer.status_code == 409
        assert 'data-error-code="TASK_STALE_DIFF"' in answer.text
        now = (await compare(task)).digest
        assert f'data-diff-digest="{now}"' in answer.text
        assert f'name="digest" value="{now}"' in answer.text
        assert "What I typed" in answer.text
        assert f"main was at {first[:10]} and is now at {tip[:10]}" in answer.text
    # What came back can be approved as it stands.
    assert (await visitor.send(review, f"/tasks/{task.id}/approve")).status_code == 303


async def test_conflicts_and_files_in_the_way_are_named(visitor: Visitor, workshop: Workshop) -> None:
    task = await workshop.done("Say who", "echo by the agent > README.md; echo eight > spokes.txt")
    write(workshop.root, {"spokes.txt": "mine\n"})
    answer = await visitor.send(f"/tasks/{task.id}/review", f"/tasks/{task.id}/approve")
    assert answer.status_code == 409
    assert 'data-error-code="CHECKOUT_DIRTY"' in answer.text
    assert re.search(r"<li[^>]*>.*spokes\.txt", answer.text)
    shown = (await compare(task)).digest
    (workshop.root / "spokes.txt").unlink()
    commit(workshop.root, {"README.md": "by the person\n"})
    page = await visitor.page(f"/tasks/{task.id}/review")
    assert "disabled" in page
    assert "README.md" in page
    digest = (await compare(task)).digest
    assert digest != shown
    answer = await visitor.post(f"/tasks/{task.id}/approve", f"/tasks/{task.id}/review", digest=digest)
    assert answer.status_code == 409
    assert 'data-error-code="WORKTREE_MERGE_CONFLICT"' in answer.text


async def test_a_second_approval_from_another_tab(visitor: Visitor, workshop: Workshop) -> None:
    task = await workshop.done("Say it", ADD_FILE)
    digest = (await compare(task)).digest
    assert (await visitor.send(f"/tasks/{task.id}/review", f"/tasks/{task.id}/approve")).status_code == 303
    for path, fields in (("approve", {"digest": digest}), ("reject", {"reason": "No."})):
        answer = await visitor.post(f"/tasks/{task.id}/{path}", f"/tasks/{task.id}", **fields)
        assert answer.status_code == 409
        assert 'data-error-code="TASK_INVALID_TRANSITION"' in answer.text
        assert "Verified" in answer.text


async def test_dragging_to_verified_is_not_approval(visitor: Visitor, workshop: Workshop) -> None:
    task = await workshop.done("Say it", ADD_FILE)
    answer = await visitor.post(f"/tasks/{task.id}/move", f"/tasks/{task.id}", column="verified", position="0")
    assert answer.status_code == 409
    assert (await get_task(task.id)).column == "waiting_approval"


async def test_nothing_that_anybody_wrote_becomes_markup(visitor: Visitor, workshop: Workshop) -> None:
    """Title, description, reason, output, file names and file contents, on every page that shows them."""
    script = (
        f"printf '%s\\n' '{HOSTILE}' | tee '{HOSTILE.replace('/', '%2F')}.html' '&lt;b&gt;.md'; echo '{HOSTILE}' >&2"
    )
    task = await workshop.done(
        HOSTILE, script, description=f"{HOSTILE}\n\n<img src=x onerror=alert(1)>", labels=["<u>"]
    )
    await visitor.send(f"/tasks/{task.id}/review", f"/tasks/{task.id}/reject", reason=f"{HOSTILE} **bold**")
    await workshop.until(task, "waiting_approval")
    board = f"/projects/{task.project_id}"
    for path in (f"/tasks/{task.id}", f"/tasks/{task.id}/review", f"/sessions/{task.session_id}", board):
        page = await visitor.page(path)
        assert "&lt;script&gt;" in page, path
        assert "<script>" not in page, path
        assert "<img src=x" not in page, path
        assert "<u>" not in page, path
    export = await visitor.get(f"/sessions/{task.session_id}/export.md")
    assert export.headers["content-type"].startswith("text/markdown")
    assert export.headers["content-disposition"].startswith("attachment")
    assert export.headers["x-content-type-options"] == "nosniff"


async def test_a_task_without_a_worktree_has_no_diff(visitor: Visitor, workshop: Workshop) -> None:
    task = await workshop.done("Say it", ADD_FILE)
    worktree = await get_worktree(task.worktree_id)
    worktree.root.rename(workshop.folder / "moved away")
    answer = await visitor.get(f"/tasks/{task.id}/review")
    assert answer.status_code == 409
    assert 'data-error-code="TASK_NO_DIFF"' in answer.text


class TestUndo:
    """The form at the foot of a verified task's page."""

    async def verified(self, visitor: Visitor, workshop: Workshop) -> str:
        task = await workshop.done("Count the spokes", ADD_FILE)
        await visitor.send(f"/tasks/{task.id}/review", f"/tasks/{task.id}/approve")
        return f"/tasks/{task.id}"

    async def test_undo_on_the_page(self, visitor: Visitor, workshop: Workshop) -> None:
        task = await self.verified(visitor, workshop)
        assert "A revert commit is put on" in await visitor.page(task)
        answer = await visitor.send(task, f"{task}/undo", reason=f"Wrong {HOSTILE}")
        assert (answer.status_code, answer.headers["location"]) == (303, task)
        page = await visitor.page(task)
        assert "undid the merge" in page
        assert HOSTILE not in page
        assert not (workshop.root / "spokes.txt").exists()

    async def test_no_reason_comes_back_with_the_message(self, visitor: Visitor, workshop: Workshop) -> None:
        task = await self.verified(visitor, workshop)
        answer = await visitor.send(task, f"{task}/undo", reason="")
        assert (answer.status_code, 'data-error-code="VALIDATION_ERROR"' in answer.text) == (422, True)

    async def test_a_refusal_keeps_what_was_typed(self, visitor: Visitor, workshop: Workshop) -> None:
        task = await self.verified(visitor, workshop)
        write(workshop.root, {"spokes.txt": "my own\n"})
        answer = await visitor.send(task, f"{task}/undo", reason="Miscounted badly")
        assert (answer.status_code, 'data-error-code="CHECKOUT_DIRTY"' in answer.text) == (409, True)
        assert "Miscounted badly" in answer.text
        assert "spokes.txt" in answer.text
