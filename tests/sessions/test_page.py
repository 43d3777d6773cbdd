"""The session page shows every event, works without JavaScript, and its parts can be replaced while it is open."""

import re

import pytest

from app.sessions import parts
from app.sessions.stream_views import MessageView, WatcherView
from app.web.fragments import csrf_input, finish
from app.web.markdown import to_html
from app.web.replies import frame as stream_frame
from app.web.templates import render
from tests.sessions.samples import SESSION, at, call, events, frame, session_page


@pytest.fixture(scope="module")
def page() -> str:
    html = render(
        "sessions/page.html", page=frame(stream=f"/sessions/{SESSION}/events?after=224"), session=session_page()
    )
    return finish(html, csrf_input("token-of-a-test"))


def test_every_event_has_its_number_and_its_address(page):
    numbers = [str(event.number) for event in events()]

    assert re.findall(r'data-event-seq="(\d+)"', page) == numbers
    assert all(f'id="e{number}"' in page and f'href="#e{number}"' in page for number in numbers)


def test_the_page_has_the_marks_of_the_contract(page):
    assert f'data-session-id="{SESSION}"' in page
    assert 'data-agent-status="running"' in page
    assert 'data-run-status="running"' in page
    assert 'data-error-code="api_error"' in page


def test_ids_are_unique(page):
    ids = re.findall(r'\sid="([^"]*)"', page)

    assert len(ids) == len(set(ids))


def test_every_form_works_without_javascript(page):
    forms = re.findall(r"<form\b.*?</form>", page, re.DOTALL)
    posted = [form for form in forms if 'method="post"' in form]

    assert f'action="/sessions/{SESSION}/messages"' in page
    assert len(posted) >= 4
    assert all('name="_csrf_token" value="token-of-a-test"' in form and 'action="/' in form for form in posted)
    assert 'name="text"' in page


def test_nothing_in_the_page_needs_a_weaker_content_policy(page):
    assert not re.search(r'\sstyle="|\son\w+="|javascript:', page)


def test_calls_are_folded_with_their_output(page):
    assert re.search(r'<details class="tool" id="tool-toolu_207" data-status="failed">', page)
    assert "AssertionError: assert 1700000001.0" in page
    assert "\x1b" not in page
    assert 'href="/audit/a207"' in page
    assert "<ins>" in page  # the edit as a small diff


def test_earlier_and_later_events_are_links(page):
    ended = render(
        "sessions/page.html", page=frame(), session=session_page(later=12, closed="This session ended.", drafts=())
    )

    assert 'href="?before=198"' in page
    assert "Show 197 earlier events" in page
    assert "Show 12 later events" in ended
    assert "This session ended." in ended
    assert "<textarea" not in ended


def test_an_empty_session_says_what_will_come():
    html = render("sessions/page.html", page=frame(), session=session_page(events=(), drafts=(), earlier=0))

    assert "Nothing has happened yet" in html


def test_a_new_event_is_put_at_the_end_and_a_message_ends_the_draft():
    message = MessageView(
        number=225, at=at(9), actor="opus-2", actor_kind="agent", message_id="m225", html=to_html("Done.")
    )

    targets = [(part.target, part.swap) for part in parts.event_appended(message)]

    assert targets == [("#drafts", "innerHTML"), ("#events", "beforeend")]
    assert [part.target for part in parts.event_appended(events()[0])] == ["#events"]


def test_a_call_that_ended_takes_the_place_of_itself():
    begun = parts.event_appended(call(222, "Bash", "running", input={"command": "make"}, output=None))
    ended = parts.call_changed(call(222, "Bash", input={"command": "make"}, output={"stdout": "ok", "exit_code": 0}))

    assert 'id="tool-toolu_222"' in begun[0].html
    assert ended.target == "#tool-toolu_222"
    assert ended.html.count('id="tool-toolu_222"') == 1
    assert "exit 0" in ended.html


@pytest.mark.parametrize("name", ["session-head", "session-run", "presence", "composer"])
def test_every_part_has_its_one_place_in_the_page(page, name):
    session = session_page()
    changed = [
        *parts.head_changed(session.head),
        parts.watchers_changed(session.watching),
        parts.composer_changed(session),
    ]
    (part,) = (part for part in changed if part.target == f"#{name}")

    assert page.count(f'id="{name}"') == 1
    assert part.html.count(f'id="{name}"') == 1
    assert finish(part.html, csrf_input("token-of-a-test")).strip()[:200] in page


def test_a_stream_message_cannot_break_out_of_its_partial():
    hostile = MessageView(
        number=1,
        at=at(0),
        actor="</hx-partial><b>",
        actor_kind="agent",
        message_id="m1",
        html=to_html("</hx-partial><script>"),
    )

    html = stream_frame([*parts.event_appended(hostile), parts.watchers_changed([WatcherView("</hx-partial>")])])

    assert html.count("</hx-partial>") == 3
    assert "<script" not in html
