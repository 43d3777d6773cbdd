"""The review page shows the diff and takes the decision, bound to the digest of what is shown."""

import re

import pytest

from app.web.forms import Entered
from app.web.fragments import csrf_input, finish
from app.web.templates import render
from tests.reviews.samples import DIGEST, TASK, checked, conflicting, file_page, files, review_page
from tests.sessions.samples import frame


def shown(review: object) -> str:
    return finish(render("reviews/page.html", page=frame("Board"), review=review), csrf_input("token-of-a-test"))


@pytest.fixture(scope="module")
def page() -> str:
    return shown(review_page())


def form(html: str, path: str) -> str:
    return re.search(rf'<form\b[^>]*action="{path}".*?</form>', html, re.DOTALL)[0]


def test_the_approval_carries_what_was_shown(page):
    approve = form(page, f"/tasks/{TASK}/approve")

    assert f'data-diff-digest="{DIGEST}"' in page
    assert f'name="digest" value="{DIGEST}"' in approve
    assert set(re.findall(r'name="(\w+)"', approve)) == {
        "_csrf_token", "digest", "base_oid", "head_oid", "merge_method", "message", "keep_branch", "approved_by",
        "accept_without_merge",
    }  # fmt: skip
    assert re.findall(r'value="(\w+)"[^>]*checked', approve) == ["merge"]
    assert "8c41d0e…f07a2b9" in approve


def test_a_rejection_needs_a_reason(page):
    reject = form(page, f"/tasks/{TASK}/reject")

    assert re.search(r'<textarea[^>]*name="reason"[^>]*maxlength="1000" required', reject)


def test_every_file_is_listed_and_shown_or_linked(page):
    for file in files():
        assert f'href="#{file.anchor}"' in page
        assert page.count(f'<details class="file" id="{file.anchor}"') == 1
    assert f'href="/tasks/{TASK}/diff/uv.lock"' in page
    assert f'href="/tasks/{TASK}/diff/odd%20%E2%80%AEname%3F%23%25.py"' in page
    assert "Show the 41 changed lines" in page


def test_lines_have_addresses_and_ids_are_unique(page):
    ids = re.findall(r'\sid="([^"]*)"', page)
    anchor = files()[0].anchor

    assert len(ids) == len(set(ids))
    assert f'id="{anchor}R36"' in page
    assert f'id="{anchor}L37"' in page


def test_hostile_names_and_code_are_text(page):
    assert "&lt;b&gt;normalised&lt;/b&gt;" in page
    assert "\u202e" not in page
    assert "odd ⟨U+202E⟩name?#%.py" in page
    assert not re.search(r'\sstyle="|\son\w+="|javascript:', page)


def test_special_files_say_what_happened(page):
    assert "Mode <code>100644</code> became <code>100755</code>" in page
    assert "Was <code>guide.md</code>" in page
    assert "Binary file; its content is not shown." in page
    assert "no line end" in page
    assert "Generated file, opened on demand" in page


def test_a_conflict_stops_the_approval_and_can_be_sent_to_the_agent():
    html = shown(conflicting())

    assert f'action="/tasks/{TASK}/approve"' not in html
    assert re.search(r'<button class="btn btn--approve" disabled', html)
    assert 'data-error-code="WORKTREE_MERGE_CONFLICT"' in html
    assert 'data-error-code="TASK_STALE_DIFF"' in html
    assert "Send back with the conflict" in form(html, f"/tasks/{TASK}/conflict")


def test_nothing_to_merge_can_only_be_accepted():
    html = shown(review_page(files=(), nothing_to_merge=True, added=0, removed=0))
    accept = form(html, f"/tasks/{TASK}/approve")

    assert 'name="accept_without_merge" value="true"' in accept
    assert "merge_method" not in accept
    assert "Nothing to merge." in html


def test_a_form_comes_back_with_its_input_and_its_error():
    wrong = Entered({"reason": "x" * 5}, {"reason": "Fill this in."})
    html = shown(review_page(reject_form=wrong, open_form="reject"))
    kept = shown(
        review_page(approve_form=Entered({"merge_method": "squash", "message": "Mine"}, {}), open_form="approve")
    )

    assert re.search(r'<details class="decision__act" name="decision" id="reject" open>', html)
    assert re.search(r'name="reason"[^>]*aria-invalid="true" aria-describedby="f-reason-error"', html)
    assert "Fill this in." in html
    assert re.findall(r'value="(\w+)"[^>]*checked', form(kept, f"/tasks/{TASK}/approve")) == ["squash"]
    assert ">\nMine</textarea>" in kept


def test_only_a_task_that_waits_can_be_decided():
    html = shown(review_page(can_decide=False, column="verified", stage="done"))

    assert "/approve" not in html
    assert "/reject" not in html
    assert "Compare <strong>normalised</strong> names" in html


def test_one_file_is_a_page_or_a_part():
    whole = render("reviews/file.html", page=frame("Board"), one=file_page())
    part = render("reviews/_file.html", view=file_page().file)

    assert f'data-diff-digest="{DIGEST}"' in whole
    assert part.strip() in whole
    assert part.strip().startswith(f'<details class="file" id="{files()[0].anchor}" open>')


def test_checks_show_what_they_print_and_a_failure_needs_a_tick(page):
    html = shown(checked())

    assert 'name="despite_checks"' not in page
    assert f'action="/tasks/{TASK}/checks"' not in page
    assert 'name="despite_checks"' in form(html, f"/tasks/{TASK}/approve")
    assert "Run again" in form(html, f"/tasks/{TASK}/checks")
    assert "make: *** [test]" in html
    assert 'data-error-code="CHECKS_FAILED"' in html
