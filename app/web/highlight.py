"""Code in the design's three voices (keyword, string, name), line by line; comments step back.

Bounded: a long text, a long line or a slow lexer gives plain text instead of a wait.
"""

import re
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import PurePosixPath

from markupsafe import Markup
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

from app.web.hidden import show_hidden

#: Characters of one text, characters of one line, and seconds beyond which the rest stays plain.
MAX_TEXT = 256 * 1024
MAX_LINE = 4 * 1024
MAX_SECONDS = 0.5

#: The classes of `code.css`. A token takes the voice of its nearest ancestor named here.
_VOICES: dict[_TokenType, str] = {
    Token.Comment: "c",
    Token.Comment.Preproc: "k",
    Token.Comment.PreprocFile: "s",
    Token.Keyword: "k",
    Token.Operator.Word: "k",
    Token.Literal.String: "s",
    Token.Name.Class: "nf",
    Token.Name.Decorator: "nf",
    Token.Name.Exception: "",
    Token.Name.Function: "nf",
    Token.Name.Tag: "nf",
}
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

#: A piece of a line: its class in `code.css` ("" for none) and its text.
Span = tuple[str, str]


def highlight_lines(text: str, filename: str) -> list[Markup]:
    """Each line of `text` as HTML without its line end, coloured by the language that `filename` tells.

    Only `\\n` ends a line. A token over several lines is closed and opened again at each of them.
    """
    return [render_spans(line) for line in line_spans(text, filename)]


def highlight_block(text: str, language: str) -> Markup:
    """`text` as HTML, coloured as `language` (a name such as `python`); unknown languages stay plain."""
    return Markup("\n").join(render_spans(line) for line in _lines(text, _lexer_by_name(language.lower())))


def line_spans(text: str, filename: str, seconds: float = MAX_SECONDS) -> list[list[Span]]:
    """As `highlight_lines`, but not yet HTML: for those who mark ranges within the lines, or have less time."""
    return _lines(text, _lexer_for_file(PurePosixPath(filename).name), seconds)


def render_spans(spans: Iterable[Span]) -> Markup:
    """The pieces of a line as HTML, hidden characters shown."""
    return Markup("").join(
        Markup('<span class="{}">{}</span>').format(voice, show_hidden(text)) if voice else show_hidden(text)
        for voice, text in spans
    )


def _lines(text: str, lexer: Lexer | None, seconds: float = MAX_SECONDS) -> list[list[Span]]:
    lines = text.split("\n")
    if lexer is None or len(text) > MAX_TEXT or max(map(len, lines)) > MAX_LINE:
        return [[("", line)] if line else [] for line in lines]
    result: list[list[Span]] = [[]]
    for voice, piece in _merged(_tokens(text, lexer, time.monotonic() + seconds)):
        first, *further = piece.split("\n")
        if first:
            result[-1].append((voice, first))
        result.extend([(voice, line)] if line else [] for line in further)
    return result


def _tokens(text: str, lexer: Lexer, deadline: float) -> Iterator[Span]:
    """Voiced pieces that together are exactly `text`, whatever the lexer does."""
    end = 0
    # A lexer sees blanks for controls, and the pieces are cut from the original: none gets lost or changed.
    for start, kind, value in lexer.get_tokens_unprocessed(_CONTROLS.sub(" ", text)):
        if start != end or time.monotonic() > deadline:
            break
        end = start + len(value)
        yield _voice(kind), text[start:end]
    if end < len(text):
        yield "", text[end:]


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Neighbours of the same voice as one piece, so that pages stay small."""
    last_voice, last_text = "", ""
    for voice, text in spans:
        if voice == last_voice:
            last_text += text
            continue
        if last_text:
            yield last_voice, last_text
        last_voice, last_text = voice, text
    if last_text:
        yield last_voice, last_text


@lru_cache(maxsize=512)
def _voice(kind: _TokenType) -> str:
    if kind in _VOICES:
        return _VOICES[kind]
    return _voice(kind.parent) if kind.parent else ""


@lru_cache(maxsize=512)
def _lexer_for_file(name: str) -> Lexer | None:
    try:
        return get_lexer_for_filename(name)
    except ClassNotFound:
        return None


@lru_cache(maxsize=128)
def _lexer_by_name(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language) if language else None
    except ClassNotFound:
        return None
