"""Code is coloured line by line in three voices, and no character is lost on the way."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web import highlight
from app.web.highlight import highlight_block, highlight_lines, line_spans


def test_keywords_strings_and_names_have_their_voices():
    (line,) = highlight_lines('def greet(): return "hi"  # now', "greet.py")

    assert line == (
        '<span class="k">def</span> <span class="nf">greet</span>(): '
        '<span class="k">return</span> <span class="s">&#34;hi&#34;</span>  <span class="c"># now</span>'
    )


def test_a_string_over_several_lines_is_closed_and_opened_at_each():
    lines = highlight_lines('x = """one\n\ntwo"""', "a.py")

    assert lines == ['x = <span class="s">&#34;&#34;&#34;one</span>', "", '<span class="s">two&#34;&#34;&#34;</span>']


def test_code_is_escaped_in_every_language_and_in_none():
    hostile = "<script>alert('x')</script>"

    for name in ("a.html", "a.js", "a.py", "a.unknown", "Makefile"):
        assert "<script" not in "".join(highlight_lines(hostile, name))


def test_hidden_characters_are_named():
    (line,) = highlight_lines("admin = 'user\u202e' \x0c", "a.py")

    assert '<mark title="right-to-left override">U+202E</mark>' in line
    assert "␌" in line
    assert "\u202e" not in line


def test_only_a_line_feed_ends_a_line():
    assert len(highlight_lines("a\x1cb\x0bc\u2028d\re\nf", "a.txt")) == 2


def test_the_language_of_a_block_is_its_name():
    assert highlight_block("if x:", "Python") == '<span class="k">if</span> x:'
    assert highlight_block("<b>", "no such language") == "&lt;b&gt;"


@pytest.mark.parametrize("text", ["x = 1\n" * (highlight.MAX_TEXT // 6 + 1), f"x = '{'y' * highlight.MAX_LINE}'"])
def test_too_much_text_stays_plain(text):
    assert not any(voice for line in line_spans(text, "a.py") for voice, _ in line)


def test_a_slow_text_is_coloured_only_as_far_as_time_allows():
    text = "def f(): pass\n" * 10_000

    lines = line_spans(text, "a.py", seconds=0.02)

    assert lines[0][0] == ("k", "def")
    assert lines[-2] == [("", "def f(): pass")]


@given(
    st.text(), st.sampled_from(["a.py", "a.js", "a.html", "a.c", "a.json", "a.md", "a.rs", "a.php", "a.txt", "x.sh"])
)
def test_no_lexer_loses_a_character(text, name):
    assert "\n".join("".join(piece for _, piece in line) for line in line_spans(text, name)) == text


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"], include_characters="\n\t")))
def test_the_html_says_what_the_text_said(text):
    shown = "\n".join(highlight_lines(text, "a.py"))

    assert html.unescape(re.sub(r"<[^>]*>", "", shown)) == text
