"""A file's patch as rows for a page: numbered, coloured, changed words marked. Pure: bytes in, structs out."""

import time
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from typing import Literal

from markupsafe import Markup
from msgspec import Struct

from app.web.hidden import name_hidden
from app.web.highlight import Span, line_spans, render_spans
from app.web.patches import PatchHunk, PatchLine, read_patch
from app.web.words import changed_words

#: Rows of one file that a page shows before it offers the rest.
MAX_ROWS = 1500

#: Lines of both texts beyond which `render_change` compares only their beginnings.
MAX_COMPARED = 4000

#: Seconds for the colours and word marks of one file; what is not done by then stays plain.
MAX_SECONDS = 0.8

RowKind = Literal["ctx", "add", "del"]


class Row(Struct, frozen=True):
    """A line of a diff. The number is None on the side where the line is not."""

    kind: RowKind
    old_no: int | None
    new_no: int | None
    html: Markup
    #: The file ends here without a line end.
    no_newline: bool = False


class Hunk(Struct, frozen=True):
    """Neighbouring rows. `header` is git's guess at the function they are in, often empty."""

    header: str
    rows: tuple[Row, ...]


class FileDiff(Struct, frozen=True, kw_only=True):
    """How one file changed."""

    path: str
    #: Where the file was before a rename or copy; empty otherwise.
    old_path: str = ""
    #: git's letter: A added, M modified, D deleted, R renamed, C copied, T type changed.
    status: str
    added: int
    removed: int
    hunks: tuple[Hunk, ...] = ()
    #: Not text: there are no rows.
    binary: bool = False
    #: Rows were left out, because of `max_rows` or because the patch itself was cut.
    truncated: bool = False
    #: Every line ends in CR LF; the rows are shown without the CR.
    crlf: bool = False
    #: File modes as git writes them (`100755`), only when they differ.
    old_mode: str = ""
    new_mode: str = ""

    @property
    def name(self) -> str:
        """The path for a page, hidden characters named."""
        return name_hidden(self.path)


def render_diff(
    patch: bytes, *, path: str, old_path: str = "", status: str = "M", max_rows: int = MAX_ROWS
) -> FileDiff:
    """The patch of one file (`git diff-tree -p`) as rows. Names come from the caller, never out of the patch.

    `patch` may be cut anywhere; what is whole of it is shown. `max_rows` 0 means no limit. Raises nothing for
    whatever bytes the file holds: those that are not UTF-8 are shown as `\\xNN`.
    """
    read = read_patch(patch, max_rows)
    crlf = bool(read.hunks) and all(line.text.endswith("\r") for hunk in read.hunks for line in hunk.lines)
    names = {"add": path, "del": old_path or path}
    deadline = time.monotonic() + MAX_SECONDS
    hunks = tuple(Hunk(hunk.header, tuple(_rows(hunk, names, crlf, deadline))) for hunk in read.hunks)
    rows = [row for hunk in hunks for row in hunk.rows]
    return FileDiff(
        path=path,
        old_path=old_path if old_path != path else "",
        status=status,
        added=sum(row.kind == "add" for row in rows),
        removed=sum(row.kind == "del" for row in rows),
        hunks=hunks,
        binary=read.binary,
        truncated=read.truncated,
        crlf=crlf,
        old_mode=read.old_mode,
        new_mode=read.new_mode,
    )


def render_change(old: str, new: str, path: str, max_rows: int = MAX_ROWS) -> FileDiff:
    """The difference of two texts, such as an agent's edit names them, as rows numbered from 1."""
    before, after = _ended(old), _ended(new)
    if len(before) + len(after) > MAX_COMPARED:
        before, after = before[:max_rows], after[:max_rows]
    patch = "".join(unified_diff(before, after)).encode("utf-8", "replace")
    return render_diff(patch, path=path, max_rows=max_rows)


def _ended(text: str) -> list[str]:
    return [line + "\n" for line in text.removesuffix("\n").split("\n")] if text else []


def _rows(hunk: PatchHunk, names: Mapping[str, str], crlf: bool, deadline: float) -> Iterator[Row]:
    texts = [line.text.removesuffix("\r") if crlf else line.text for line in hunk.lines]
    coloured = _coloured(hunk.lines, texts, names, deadline)
    marks = changed_words([line.kind for line in hunk.lines], texts, deadline)
    for at, line in enumerate(hunk.lines):
        tag = "ins" if line.kind == "add" else "del"
        html = _with_marks(coloured[at], marks[at], tag) if at in marks else render_spans(coloured[at])
        yield Row(line.kind, line.old_no, line.new_no, html, line.no_newline)


def _coloured(
    lines: Sequence[PatchLine], texts: Sequence[str], names: Mapping[str, str], deadline: float
) -> list[list[Span]]:
    """Each side is coloured as the one text that it was, so that a string over several lines keeps its voice."""
    coloured: list[list[Span]] = [[] for _ in lines]
    for side, name in names.items():
        places = [at for at, line in enumerate(lines) if line.kind in ("ctx", side)]
        side_spans = line_spans("\n".join(texts[at] for at in places), name, deadline - time.monotonic())
        for at, spans in zip(places, side_spans, strict=False):
            coloured[at] = spans
    return coloured


def _with_marks(spans: Sequence[Span], marks: Sequence[tuple[int, int]], tag: str) -> Markup:
    """The line with `<ins>` or `<del>` around its marked ranges, and the colours inside them."""
    html, at = Markup(""), 0
    for start, end in marks:
        html += render_spans(_cut(spans, at, start))
        html += Markup("<{0}>{1}</{0}>").format(tag, render_spans(_cut(spans, start, end)))
        at = end
    return html + render_spans(_cut(spans, at, None))


def _cut(spans: Sequence[Span], start: int, end: int | None) -> Iterator[Span]:
    at = 0
    for voice, text in spans:
        piece = text[max(start - at, 0) : None if end is None else max(end - at, 0)]
        at += len(text)
        if piece:
            yield voice, piece
