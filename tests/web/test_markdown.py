"""What agents and people write becomes HTML that cannot harm, whatever they write."""

import re
import time

import pytest

from app.web import markdown
from app.web.markdown import to_html


def test_prose_lists_tables_and_strikethrough():
    html = to_html("Some *text* with `code`:\n\n- one\n- ~~two~~\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n")

    assert "<em>text</em> with <code>code</code>" in html
    assert "<li><s>two</s></li>" in html
    assert '<td align="right">2</td>' in html
    assert "style" not in html


def test_code_blocks_have_the_voices_of_the_design_and_can_be_scrolled_by_keyboard():
    assert to_html("```python\nreturn x\n```") == (
        '<pre tabindex="0"><code><span class="k">return</span> x</code></pre>\n'
    )


def test_headings_stay_below_those_of_the_page():
    assert to_html("# One\n## Two\n###### Six") == "<h3>One</h3>\n<h4>Two</h4>\n<h6>Six</h6>\n"


def test_links_lead_out_without_telling_from_where():
    assert to_html("[a](https://example.org/x)") == (
        '<p><a href="https://example.org/x" rel="noopener noreferrer nofollow">a</a></p>\n'
    )


def test_images_are_links_so_that_no_other_host_learns_who_reads():
    html = to_html('![a "cat"](https://example.org/cat.png) ![](https://example.org/dog.png)')

    assert "<img" not in html
    assert '<a href="https://example.org/cat.png" rel="noopener noreferrer nofollow">a "cat"</a>' in html
    assert ">https://example.org/dog.png</a>" in html


def test_line_ends_count_where_a_person_typed_them():
    assert to_html("a\nb") == "<p>a\nb</p>\n"
    assert to_html("a\nb", breaks=True) == "<p>a<br>\nb</p>\n"


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](data:image/png;base64,AAAA)",
        "[x](vbscript:x)",
        "[x](//example.org/x)",
        "[x](/logout)",
        "<javascript:alert(1)>",
        "![x](javascript:alert(1))",
        '![x](https://example.org/"onerror="alert(1))',
        '[x](https://example.org "a\\" onclick=\\"alert(1)")',
        '```html"onload=alert(1)\n<script>alert(1)</script>\n```',
        "<style>*{display:none}</style>",
        "<form action=/tasks/x/approve><button>",
        "<svg/onload=alert(1)>",
        "| a |\n|---|\n| <script>alert(1)</script> |",
    ],
)
def test_hostile_text_stays_text(hostile):
    html = to_html(hostile)
    tags = re.findall(r"<(/?\w+)([^>]*)>", html)

    assert not {name for name, _ in tags} & {"script", "img", "style", "form", "button", "svg", "iframe"}
    for _, attributes in tags:
        assert set(re.findall(r'([\w-]+)="[^"]*"', attributes)) <= {
            "href",
            "title",
            "rel",
            "class",
            "align",
            "start",
            "tabindex",
        }
        assert not re.findall(r'href="(?!https?://|mailto:)', attributes)


def test_classes_are_those_of_code_and_no_other():
    assert "btn" not in to_html('<span class="btn">x</span>').replace('&lt;span class="btn"&gt;', "")


def test_hidden_characters_are_named():
    html = to_html("allow \u202eyned\u202c, tag \U000e0041, escape \x1b[31m")

    assert html == "<p>allow ⟨U+202E⟩yned⟨U+202C⟩, tag ⟨U+E0041⟩, escape ⟨␛⟩[31m</p>\n"


def test_a_very_long_text_is_cut_and_says_so():
    html = to_html("word " * markdown.MAX_TEXT)

    assert len(html) < markdown.MAX_TEXT * 2
    assert "131,072 more characters are not shown" in html


@pytest.mark.parametrize("piece", [">", "[", "![", "*a ", "- ", "    ", "`", "<", "_a_ ", "(", "| a "])
def test_deep_nesting_costs_little_and_breaks_nothing(piece):
    started = time.monotonic()

    to_html(piece * 100_000)

    assert time.monotonic() - started < 5


def test_lone_surrogates_and_zero_bytes_do_not_break_a_page():
    assert to_html("a\x00b\udcffc\ud800").encode()
