"""What people and agents write, as HTML that cannot harm: parsed without raw HTML, then sanitised a second time."""

import re
from collections.abc import Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

from app.web.hidden import name_hidden
from app.web.highlight import highlight_block

#: Characters of one text; what is beyond is left out, and a note says so.
MAX_TEXT = 32 * 1024

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "span", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "pre": {"tabindex"}, "td": {"align"}, "th": {"align"}}
_VOICES = {"span": {"c", "k", "nf", "s"}}
_ABSOLUTE = re.compile(r"(?i)https?://|mailto:")


def to_html(text: str, *, breaks: bool = False) -> Markup:
    """`text` (CommonMark, tables, strikethrough) as safe HTML. With `breaks`, every line end shows as one.

    Images become links, headings begin at `h3`, links lead only to http, https and mailto.
    """
    source = name_hidden(text[:MAX_TEXT].replace("\r\n", "\n").replace("\r", "\n"))
    parser = _WITH_BREAKS if breaks else _PLAIN
    html = _clean(parser.render(source))
    if len(text) > MAX_TEXT:
        html += f"<p><em>Cut here: {len(text) - MAX_TEXT:,} more characters are not shown.</em></p>"
    return Markup(html)  # noqa: S704 sanitised above


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes=_VOICES,
        attribute_filter=_keep_attribute,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def _keep_attribute(tag: str, name: str, value: str) -> str | None:
    """A relative link would lead into the app, or nowhere."""
    return value if name != "href" or _ABSOLUTE.match(value) else None


class _Renderer(RendererHTML):
    """CommonMark's renderer with the few pieces that we show in another way."""

    def heading_open(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        return f"<{_heading(tokens[at].tag)}>"

    def heading_close(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        return f"</{_heading(tokens[at].tag)}>\n"

    def fence(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        language = tokens[at].info.split(maxsplit=1)[0] if tokens[at].info.strip() else ""
        return _code(highlight_block(tokens[at].content.rstrip(), language))

    def code_block(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        return _code(escape(tokens[at].content.rstrip()))

    def image(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        source = str(tokens[at].attrs.get("src", ""))
        return f'<a href="{escape(source)}">{escape(tokens[at].content or source)}</a>'

    def th_open(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        return _cell(tokens[at])

    def td_open(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        return _cell(tokens[at])


def _code(html: Markup) -> str:
    """A wide block scrolls by itself, so the keyboard must reach it."""
    return f'<pre tabindex="0"><code>{html}</code></pre>\n'


def _heading(tag: str) -> str:
    """The page has its own `h1` and `h2`."""
    return f"h{min(int(tag[1]) + 2, 6)}"


def _cell(token: Token) -> str:
    """The parser aligns by a style attribute, which our content policy forbids."""
    align = str(token.attrs.get("style", "")).removeprefix("text-align:")
    return f'<{token.tag} align="{align}">' if align else f"<{token.tag}>"


def _parser(breaks: bool) -> MarkdownIt:
    options = {"html": False, "breaks": breaks}
    return MarkdownIt("commonmark", options, renderer_cls=_Renderer).enable(["table", "strikethrough"])


_PLAIN = _parser(breaks=False)
_WITH_BREAKS = _parser(breaks=True)
