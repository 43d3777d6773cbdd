"""A question stands wherever somebody looks, and is answered by a plain form."""

import html
import re

import pytest

from app.audit.verifying import verify
from app.board.live import changes
from app.events.reading import of_project, of_session
from app.events.recording import Actor
from app.permissions.answering import answer
from app.permissions.forms import PermissionAnswer
from app.permissions.rows import get_permission
from app.projects.rows import ProjectRow
from app.sessions import exporting
from app.sessions.live import _frames
from app.sessions.rows import get_session
from tests.permissions.samples import asked, asking_run
from tests.visitor import Visitor
from tests.work import end

PUSH = {"command": "git push origin main"}


async def test_the_page_of_a_question_shows_the_exact_call_and_the_rule(visitor: Visitor, project: ProjectRow) -> None:
    request = await asked(await asking_run(project.id), rule="Bash(git push*)", command="git push\n--force", timeout=5)
    page = html.unescape(await visitor.page(f"/permissions/{request.id}"))
    assert "claude-1 asks to run a command" in page
    assert "git push\n--force\ntimeout: 5</pre>" in page
    assert "The rule Bash(git push*) asks a person for this call." in page
    assert "And every later call in it that <code>Bash(git push*)</code> asks for." in page
    assert f'href="/audit/{request.audit_id}"' in page


@pytest.mark.parametrize(
    ("decision", "words"),
    [("allowed", "Allowed once by"), ("allowed_for_task", "Allowed for this task by"), ("denied", "Denied by")],
)
async def test_it_is_answered_by_a_plain_form(visitor: Visitor, project: ProjectRow, decision: str, words: str) -> None:
    request = await asked(await asking_run(project.id), **PUSH)
    page = f"/permissions/{request.id}"
    answer = await visitor.send(page, f"{page}/answer", decision=decision, note="Because.")
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert (await get_permission(request.id)).status == decision
    shown = await visitor.page(page)
    assert words in shown
    assert "Because." in shown
    assert f"{page}/answer" not in shown


async def test_the_second_answer_is_refused_and_says_who_was_first(visitor: Visitor, project: ProjectRow) -> None:
    request = await asked(await asking_run(project.id), **PUSH)
    page = f"/permissions/{request.id}"
    await visitor.send(page, f"{page}/answer", decision="denied")
    late = await visitor.post(f"{page}/answer", page="/", decision="allowed")
    assert late.status_code == 409
    assert "PERMISSION_SETTLED" in late.text
    assert "has answered already: denied." in late.text


async def test_an_answer_to_a_run_that_has_ended_is_refused(visitor: Visitor, project: ProjectRow) -> None:
    claim = await asking_run(project.id)
    request = await asked(claim, **PUSH)
    await end(claim, "stopped")
    late = await visitor.post(f"/permissions/{request.id}/answer", page="/", decision="allowed")
    assert late.status_code == 409
    assert "Nobody waits for this answer any more. The run ended before anybody answered." in late.text
    assert "Taken back" in await visitor.page(f"/permissions/{request.id}")


@pytest.mark.parametrize("fields", [{"decision": "maybe"}, {}, {"decision": "denied", "note": "x" * 1001}])
async def test_what_is_no_answer_is_refused(visitor: Visitor, project: ProjectRow, fields: dict[str, str]) -> None:
    request = await asked(await asking_run(project.id), **PUSH)
    refused = await visitor.post(f"/permissions/{request.id}/answer", page="/", **fields)
    assert refused.status_code == 422
    assert (await get_permission(request.id)).status == "open"


async def test_nobody_knows_that_question(visitor: Visitor, project: ProjectRow) -> None:
    assert (await visitor.get("/permissions/nobodyknowsthis")).status_code == 404
    assert (await visitor.get("/permissions/NO")).status_code == 400


async def test_an_answer_by_htmx_changes_the_question_where_it_stands(visitor: Visitor, project: ProjectRow) -> None:
    claim = await asking_run(project.id)
    request = await asked(claim, **PUSH)
    answer = await visitor.send_htmx(
        f"/sessions/{claim.session_id}", f"/permissions/{request.id}/answer", decision="allowed"
    )
    assert answer.status_code == 200
    assert f'hx-target="#permission-{request.id}"' in answer.text
    assert "Allowed once by" in answer.text


async def test_every_place_says_that_somebody_is_needed(visitor: Visitor, project: ProjectRow) -> None:
    claim = await asking_run(project.id)
    request = await asked(claim, **PUSH)
    link = f'href="/permissions/{request.id}"'
    board = await visitor.page(f"/projects/{project.id}")
    assert re.search(rf'id="task-{claim.task_id}"[^>]+data-stage="needs_you"', board)
    assert board.count(link) == 2, "on the card, and in the list of what needs a person"
    assert "<code>Bash git push origin main</code>" in board
    assert 'aria-label="1 thing needs a person"' in board
    everywhere = await visitor.page("/")
    assert "1 asks" in everywhere
    assert link in everywhere
    for page in (f"/tasks/{claim.task_id}", f"/agents/{claim.agent_id}", f"/sessions/{claim.session_id}"):
        shown = await visitor.page(page)
        assert link in shown, page
        assert 'data-stage="needs_you"' in shown, page
    for page in (f"/projects/{project.id}/agents", f"/projects/{project.id}/runs"):
        assert 'data-stage="needs_you"' in await visitor.page(page), page


async def test_the_record_shows_the_question_with_its_buttons_and_then_its_answer(
    visitor: Visitor, project: ProjectRow
) -> None:
    claim = await asking_run(project.id)
    request = await asked(claim, **PUSH)
    session = f"/sessions/{claim.session_id}"
    answer = await visitor.send(session, f"/permissions/{request.id}/answer", decision="denied", note="Not on Friday.")
    assert (answer.status_code, answer.headers["location"]) == (303, session)
    shown = await visitor.page(session)
    assert "Not on Friday." in shown
    assert "Denied by" in shown
    record = b"".join([part async for part in exporting.markdown(await get_session(claim.session_id))]).decode()
    assert "Bash is asked for" in record
    assert "Bash denied: Not on Friday." in record


async def test_open_pages_hear_of_it(visitor: Visitor, project: ProjectRow) -> None:
    claim = await asking_run(project.id)
    request = await asked(claim, **PUSH)
    events = [event for event in await of_session(claim.session_id, 0) if event.kind == "permission"]
    (frame,) = await _frames(claim.session_id, events)
    assert b'hx-target="#events"' in frame.data
    assert b"asks to run a command" in frame.data
    assert b'hx-target="#session-head"' in frame.data
    board = await of_project(project.id, 0)
    asks = [event for event in board if event.kind == "permission.asked"]
    targets = {part.target: part.html for part in await changes(project.id, asks)}
    assert 'data-stage="needs_you"' in targets["#cards-in_progress"]
    assert f"/permissions/{request.id}" in targets["#needs"]

    await visitor.send(f"/permissions/{request.id}", f"/permissions/{request.id}/answer", decision="allowed")
    answers = [event for event in await of_session(claim.session_id, events[-1].number) if event.kind == "permission"]
    (frame,) = await _frames(claim.session_id, answers)
    assert f'hx-target="#permission-{request.id}"'.encode() in frame.data
    assert b"Allowed once by" in frame.data


async def test_whatever_an_agent_asks_is_shown_as_text(visitor: Visitor, project: ProjectRow) -> None:
    claim = await asking_run(project.id)
    evil = "echo '<script>alert(1)</script>'\u202e\x1b[31m"
    request = await asked(claim, rule="Bash(<b>*)", command=evil)
    for page in (f"/permissions/{request.id}", f"/sessions/{claim.session_id}", f"/projects/{project.id}"):
        shown = await visitor.page(page)
        assert "<script>alert" not in shown
        assert "<b>*" not in shown
        assert "\u202e" not in shown
    assert "⟨U+202E⟩" in await visitor.page(f"/permissions/{request.id}")


async def test_a_call_that_is_too_long_for_a_page_says_so(visitor: Visitor, project: ProjectRow) -> None:
    request = await asked(await asking_run(project.id), command="x" * 30_000)
    page = await visitor.page(f"/permissions/{request.id}")
    assert "This is not all of it: 10,000 more characters." in page
    assert f'<a href="/audit/{request.audit_id}">Read the whole call</a>' in page


async def test_an_edit_is_shown_as_a_difference(visitor: Visitor, project: ProjectRow) -> None:
    edit = {"file_path": "migrations/1.py", "old_string": "a = 1\n", "new_string": "a = 2\n"}
    request = await asked(await asking_run(project.id), tool="Edit", rule="Edit(migrations/**)", **edit)
    page = await visitor.page(f"/permissions/{request.id}")
    assert "asks to change a file" in page
    assert "file_path: migrations/1.py" in page
    assert 'data-line="del"' in page
    assert 'data-line="add"' in page


async def test_the_audit_log_says_who_was_asked_and_the_chain_is_whole(visitor: Visitor, project: ProjectRow) -> None:
    claim = await asking_run(project.id)
    request = await asked(claim, **PUSH)
    await answer(request.id, PermissionAnswer(decision="denied", note="Not on Friday."), Actor("person", "Jo"))
    page = html.unescape(await visitor.page(f"/audit/{request.audit_id}"))
    assert "was asked for, and denied</a> by Jo; the rule is <code>Bash</code>. Not on Friday." in page
    listed = await visitor.page(f"/projects/{project.id}/audit?kind=questions")
    assert "Question" in listed
    assert "Bash git push origin main · Not on Friday." in listed
    assert "denied" in listed
    verdict = await verify(project.id)
    assert (verdict.entries > 3, verdict.broken) == (True, None)
