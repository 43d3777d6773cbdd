"""Which conflicts of a merge nobody has resolved: remembered in the commit that saves it, so that no review takes the
side that happened to be in a file for a decision."""

import re
from collections.abc import Collection
from pathlib import Path

import msgspec

from app.git.diffs import printable
from app.git.refs import resolve
from app.git.refusals import GitError
from app.git.running import git

_TRAILER = "Unresolved"
#: More paths than this are looked for in the whole tree rather than named.
_MOST_NAMED = 500


async def unresolved(worktree: Path, tree: str, unmerged: Collection[str]) -> tuple[str, ...]:
    """Those of the `unmerged` paths that in `tree` still have conflict marks, or are as the merge left them."""
    if not unmerged:
        return ()
    marked = await marked_files(worktree, tree, unmerged)
    left = await resolve(worktree, "AUTO_MERGE", "tree")
    touched = await _differing(worktree, left, tree) if left else set()
    return tuple(sorted(path for path in unmerged if path in marked or path not in touched))


def noted(message: str, paths: Collection[str]) -> str:
    """`message`, and which files the commit leaves unresolved."""
    lines = "".join(f"\n{_TRAILER}: {_quoted(path)}" for path in paths)
    return f"{message.rstrip()}\n{lines}" if lines else message


async def left_unresolved(cwd: Path, base: str, head: str, tree: str) -> tuple[str, ...]:
    """The noted files of the commits of `head` beyond `base` (oids) that nobody has changed up to `tree` since."""
    beyond = (head, f"^{base}", "--")
    found = await git(cwd, "log", "-z", "--no-show-signature", "--format=%H%n%B", f'--grep=^{_TRAILER}: "', *beyond)
    left: set[str] = set()
    for text in found.out.decode(errors="replace").split("\0"):
        commit, _, message = text.partition("\n")
        if names := set(re.findall(rf'^{_TRAILER}: (".*")$', message, re.MULTILINE)):
            left |= names - {_quoted(path) for path in await _differing(cwd, commit, tree)}
    return tuple(sorted(name[1:-1] for name in left))


async def marked_files(cwd: Path, tree: str, paths: Collection[str]) -> set[str]:
    """Those of `paths` that in `tree` have a conflict's first and last mark at the beginning of lines."""
    if not paths:
        return set()
    named = [path for path in paths if len(paths) <= _MOST_NAMED]
    found = await git(
        cwd,
        "grep",
        "-z",
        "-l",
        "-a",
        "--all-match",
        "-e",
        "^<<<<<<< ",
        "-e",
        "^>>>>>>> ",
        tree,
        "--",
        *named,
        check=False,
    )
    if found.code > 1:
        raise GitError(["grep", tree], found.code, found.err.decode(errors="replace"))
    return {field.removeprefix(f"{tree}:") for field in found.fields} & set(paths)


async def _differing(cwd: Path, one: str, other: str) -> set[str]:
    return set((await git(cwd, "diff-tree", "-r", "-z", "--no-renames", "--name-only", one, other)).fields)


def _quoted(path: str) -> str:
    """On one line, whatever the name."""
    return msgspec.json.encode(printable(path)).decode()
