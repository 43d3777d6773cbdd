"""git's patch of one file, read with `unidiff`, whose traps are caught here.

unidiff finds names in headers that git quotes, refuses a hunk that is cut short, and splits text where Python would.
So it gets the hunks only, under a header of ours, as lines that end at `\\n` and nowhere else.
"""

import re
from typing import Literal

from msgspec import Struct
from unidiff import PatchSet

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)", re.DOTALL)
_MODE = re.compile(rb"(old|new|deleted file|new file) mode (\d+)$")
_BINARY = (b"Binary files ", b"GIT binary patch")


class PatchLine(Struct, frozen=True):
    """A line of a hunk, without its line end; bytes that are not UTF-8 are lone surrogates (`surrogateescape`)."""

    kind: Literal["ctx", "add", "del"]
    old_no: int | None
    new_no: int | None
    text: str
    no_newline: bool = False


class PatchHunk(Struct, frozen=True):
    """Neighbouring lines, and the line of code that git shows above them."""

    header: str
    lines: tuple[PatchLine, ...]


class Patch(Struct, frozen=True, kw_only=True):
    """All that a patch says of one file."""

    hunks: tuple[PatchHunk, ...] = ()
    binary: bool = False
    truncated: bool = False
    old_mode: str = ""
    new_mode: str = ""


def read_patch(patch: bytes, max_lines: int = 0) -> Patch:
    """Read the patch of one file, at most `max_lines` lines of it (0: all); a cut patch as far as it is whole."""
    lines = patch.split(b"\n")
    cut_inside_line = bool(lines.pop())
    head, body = _split(lines)
    hunks, truncated = _whole_hunks(body, max_lines)
    old_mode, new_mode = _modes(head)
    return Patch(
        hunks=tuple(_read(hunk) for hunk in hunks),
        binary=any(line.startswith(_BINARY) for line in head),
        truncated=truncated or cut_inside_line,
        old_mode=old_mode if old_mode != new_mode else "",
        new_mode=new_mode if old_mode != new_mode else "",
    )


def _split(lines: list[bytes]) -> tuple[list[bytes], list[list[bytes]]]:
    """Header lines, and a list of lines for each hunk. A type change is two patches: its hunks follow each other."""
    head: list[bytes] = []
    hunks: list[list[bytes]] = []
    inside = False
    for line in lines:
        if line.startswith(b"@@ "):
            hunks.append([line])
            inside = True
        elif inside and line[:1] in (b" ", b"+", b"-", b"\\", b""):  # empty: diff.suppressBlankEmpty
            hunks[-1].append(line)
        else:
            inside = False
            head.append(line)
    return head, hunks


def _whole_hunks(hunks: list[list[bytes]], max_lines: int) -> tuple[list[list[bytes]], bool]:
    """The hunks up to the limit, each header counting the lines that are there; and whether lines are missing."""
    whole, left, missing = [], max_lines or sum(map(len, hunks)), False
    for header, *lines in hunks:
        kept = lines[:left]
        if len(lines) > left and lines[left].startswith(b"\\"):
            kept = lines[: left + 1]
        left = max(left - len(kept), 0)
        counted, short = _counted(header, kept)
        missing = missing or short or len(kept) < len(lines)
        if kept:
            whole.append([counted, *kept])
    return whole, missing


def _counted(header: bytes, lines: list[bytes]) -> tuple[bytes, bool]:
    found = _HUNK.match(header)
    if found is None:
        raise ValueError("not a hunk header")
    old_start, old_count, new_start, new_count, section = found.groups()
    old = sum(line[:1] in b" -" for line in lines)
    new = sum(line[:1] in b" +" for line in lines)
    short = old != int(old_count or 1) or new != int(new_count or 1)
    return b"@@ -%b,%d +%b,%d @@%b" % (old_start, old, new_start, new, section), short


def _read(lines: list[bytes]) -> PatchHunk:
    text = [line.decode("utf-8", "surrogateescape") + "\n" for line in lines]
    (hunk,) = PatchSet(["--- a\n", "+++ b\n", *text])[0]
    read: list[PatchLine] = []
    for line in hunk:
        if line.line_type == "\\":
            read[-1] = PatchLine(read[-1].kind, read[-1].old_no, read[-1].new_no, read[-1].text, True)
        else:
            kind: Literal["ctx", "add", "del"] = "add" if line.is_added else "del" if line.is_removed else "ctx"
            read.append(PatchLine(kind, line.source_line_no, line.target_line_no, line.value.removesuffix("\n")))
    return PatchHunk(hunk.section_header, tuple(read))


def _modes(head: list[bytes]) -> tuple[str, str]:
    """The modes before and after; empty where the patch names none or the file is only on one side."""
    modes = {found[1]: found[2].decode() for line in head if (found := _MODE.match(line))}
    if b"old" in modes:
        return modes[b"old"], modes.get(b"new", "")
    if b"deleted file" in modes and b"new file" in modes:
        return modes[b"deleted file"], modes[b"new file"]
    return "", ""
