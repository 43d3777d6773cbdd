"""What differs between two trees: the list first, then one patch at a time and never more of it than asked for."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from app.git.plain_views import plainly
from app.git.running import Output, git, read_up_to

#: A patch longer than this is cut: a page shows it in parts or offers the file.
MOST_PATCH = 1024 * 1024

_LIKE_ANYWHERE = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=none", "-r", "-M", "--end-of-options")


class FileChange(Struct, frozen=True):
    """One changed file. Paths are decoded with surrogateescape: show them through `printable`."""

    #: A added, D deleted, M modified, R renamed, C copied, T type changed (file, symlink, submodule).
    status: str
    path: str
    #: Where it was before a rename; else equal to `path`.
    old_path: str
    #: As git writes them: `100644`, `100755`, `120000` (symlink), `160000` (submodule), `000000` (none).
    old_mode: str
    new_mode: str
    old_oid: str
    new_oid: str
    #: Lines; None for a binary file.
    added: int | None
    removed: int | None

    @property
    def binary(self) -> bool:
        """Whether it has no lines to compare."""
        return self.added is None


class Totals(Struct, frozen=True):
    """The size of a change. Binary files count as files only."""

    files: int
    added: int
    removed: int


class Patch(Struct, frozen=True):
    """A unified diff of one file, in the file's own encoding; cut at the end of a line when `truncated`."""

    text: bytes
    truncated: bool


async def changed_files(cwd: Path, base_tree: str, tree: str) -> list[FileChange]:
    """What changed from `base_tree` to `tree` (oids of trees or commits), in git's order."""

    async def listed(place: Path, env: Mapping[str, str]) -> Output:
        flags = ("-z", "--raw", "--numstat", *_LIKE_ANYWHERE)
        return await git(place, "diff-tree", *flags, base_tree, tree, env=env)

    return list(_parse((await plainly(cwd, listed)).fields))


def totals(changes: Iterable[FileChange]) -> Totals:
    """The sums over `changes`."""
    found = list(changes)
    return Totals(len(found), sum(one.added or 0 for one in found), sum(one.removed or 0 for one in found))


async def patch(
    cwd: Path,
    base_tree: str,
    tree: str,
    path: str,
    old_path: str | None = None,
    *,
    limit_bytes: int = MOST_PATCH,
    context: int = 3,
    ignore_whitespace: bool = False,
) -> Patch:
    """The patch of one file between two oids; `old_path` is where a renamed one was. Not for binary files."""
    flags = [f"--unified={context}", "--src-prefix=a/", "--dst-prefix=b/", "--no-color"]
    if ignore_whitespace:
        flags.append("--ignore-all-space")
    paths = [os.fsencode(name) for name in dict.fromkeys((old_path or path, path))]

    async def shown(place: Path, env: Mapping[str, str]) -> tuple[bytes, bool]:
        what = (*flags, *_LIKE_ANYWHERE, base_tree, tree, "--")
        return await read_up_to(limit_bytes, place, "diff-tree", "-p", *what, *paths, env=env)

    text, truncated = await plainly(cwd, shown)
    return Patch(text[: text.rfind(b"\n") + 1] if truncated else text, truncated)


async def blob(cwd: Path, oid: str, limit: int = MOST_PATCH) -> tuple[bytes, bool]:
    """The first `limit` bytes of a file's content by oid, and whether there is more."""
    return await read_up_to(limit, cwd, "cat-file", "blob", oid)


def printable(path: str) -> str:
    """`path` for pages, JSON and the database: bytes that are not UTF-8 are shown as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _parse(fields: list[str]) -> Iterator[FileChange]:
    parts = iter(fields)
    raw: list[tuple[list[str], str, str]] = []
    counts: list[tuple[int | None, int | None]] = []
    for part in parts:
        if part.startswith(":"):
            raw.append(_raw_record(part, parts))
        else:
            counts.append(_counts(part, parts))
    for (meta, old_path, path), (added, removed) in zip(raw, counts, strict=True):
        old_mode, new_mode, old_oid, new_oid, status = meta
        yield FileChange(status[0], path, old_path, old_mode, new_mode, old_oid, new_oid, added, removed)


def _raw_record(first: str, rest: Iterator[str]) -> tuple[list[str], str, str]:
    meta = first[1:].split(" ")
    old_path = next(rest)
    return meta, old_path, next(rest) if meta[4][0] in "RC" else old_path


def _counts(first: str, rest: Iterator[str]) -> tuple[int | None, int | None]:
    added, removed, path = first.split("\t", 2)
    if not path:
        next(rest), next(rest)
    return (None, None) if added == "-" else (int(added), int(removed))
