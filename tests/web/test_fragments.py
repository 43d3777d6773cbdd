"""The same HTML for everyone, and what differs put in on the way out."""

from datetime import UTC, datetime, timedelta

from app.web.fragments import CSRF_FIELD, NOW_FIELD, TOKEN_PLACE, csrf_input, cut, finish, time_field
from app.web.templates import environment

NOW = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)


def test_each_form_gets_the_viewers_token() -> None:
    html = finish(f"<form>{CSRF_FIELD}</form><form>{CSRF_FIELD}</form>", csrf_input("abc"), NOW)
    assert html == '<form><input type="hidden" name="_csrf_token" value="abc"></form>' * 2


def test_times_are_told_as_of_now() -> None:
    then = NOW - timedelta(minutes=18, seconds=5)
    ago, elapsed = (finish(time_field(kind, then), "", NOW) for kind in ("ago", "elapsed"))
    assert ago.startswith('<time datetime="2026-03-14T11:41:55.000Z" data-ago title="')
    assert ago.endswith(">18 min</time>")
    assert elapsed.endswith(">18:05</time>")
    assert 'datetime="2026-03-14T12:00:00.000Z" data-clock' in finish(str(NOW_FIELD), "", NOW)


def test_no_moment_leaves_no_trace() -> None:
    assert time_field("ago", None) == ""


def test_data_cannot_forge_a_place() -> None:
    hostile = f"{CSRF_FIELD}{time_field('ago', NOW)}"
    rendered = environment().from_string("{{ data }}").render(data=str(hostile))
    assert finish(rendered, csrf_input("secret"), NOW) == rendered


def test_a_token_is_escaped() -> None:
    assert csrf_input('"><script>') == '<input type="hidden" name="_csrf_token" value="&#34;&gt;&lt;script&gt;">'
    assert csrf_input("") == ""


def test_html_that_was_cut_before_is_filled_to_the_same() -> None:
    then = NOW - timedelta(minutes=18)
    html = f"<p>é</p><form>{CSRF_FIELD}</form>{time_field('ago', then)}<!-- a remark -->{NOW_FIELD}"
    assert cut(html).filled("abc", NOW).decode() == finish(html, csrf_input("abc"), NOW)
    assert cut("no places").filled("abc", NOW) == b"no places"


def test_a_kept_page_carries_the_bare_token_of_its_viewer() -> None:
    assert cut(f'<body data-token="{TOKEN_PLACE}">').filled("abc", NOW) == b'<body data-token="abc">'
