"""The task page shows runs, activity and worktree, and offers only what the task's state allows."""

import re

import pytest

from app.web.forms import Entered
from app.web.fragments import csrf_input, finish
from app.web.templates import render
from tests.sessions.samples import frame
from tests.tasks.samples import TASK, task_page


def shown(task: object) -> str:
    return finish(render("tasks/page.html", page=frame("Board"), task=task), csrf_input("token-of-a-test"))


@pytest.fixture(scope="module")
def page() -> str:
    return shown(task_page())


def test_the_page_has_the_marks_of_the_contract(page):
    assert f'data-task-id="{TASK}" data-column="in_progress" data-position="4" data-stage="error"' in page
    assert re.findall(r'data-run-status="(\w+)"', page) == ["error", "completed"]
    assert 'data-worktree-status="active"' in page
    assert 'data-error-code="api_error"' in page


def test_the_description_is_markdown(page):
    assert "<li>Keep <code>hash_file(path, algorithms)</code> as it is; callers must not change.</li>" in page


def test_runs_tell_what_is_known_and_no_more(page):
    assert 'data-label="Tokens">302 k<' in page
    assert 'data-label="Tokens">—<' in page
    assert 'data-label="Took">9:48<' in page
    assert "Hashes are streamed in blocks of <strong>1 MiB</strong>." in page


def test_the_one_thing_to_do_comes_first(page):
    buttons = re.findall(r'<button class="btn([^"]*)">(?:<svg.*?</svg>)?([^<]+)</button>', page)

    assert buttons[0] == (" btn--primary", "Retry run 2")
    assert re.search(r'name="column" value="waiting_approval"><button class="btn">Submit what is there', page)


def test_every_form_carries_its_token(page):
    forms = [form for form in re.findall(r"<form\b.*?</form>", page, re.DOTALL) if 'method="post"' in form]

    assert len(forms) >= 5
    assert all('name="_csrf_token" value="token-of-a-test"' in form for form in forms)
    assert {"title", "description", "labels", "agent_id", "discard"} <= set(re.findall(r'name="(\w+)"', page))


def test_what_cannot_be_done_is_not_there():
    html = shown(
        task_page(can_cancel=False, can_delete=False, edit=None, primary=None, actions=(), worktree=None, runs=())
    )

    assert "/cancel" not in html
    assert "/delete" not in html
    assert "No agent has worked on this yet." in html
    assert "Made when an agent starts." in html


def test_an_edit_comes_back_with_its_input_and_its_error():
    edit = task_page().edit
    wrong = Entered({"title": "", "description": "kept"}, {"title": "Fill this in."})

    html = shown(task_page(edit=type(edit)(form=wrong, title=edit.title, open=True)))

    assert '<details class="fold" id="edit" open>' in html
    assert "Fill this in." in html
    assert ">\nkept</textarea>" in html


def test_ids_are_unique_and_the_content_policy_holds(page):
    ids = re.findall(r'\sid="([^"]*)"', page)

    assert len(ids) == len(set(ids))
    assert not re.search(r'\sstyle="|\son\w+="|javascript:', page)
