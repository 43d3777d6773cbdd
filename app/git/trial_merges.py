"""Trial merges of two commits: the resulting tree, or what is in conflict. Nothing but loose objects is written."""

from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from msgspec import Struct

from app.git.commits import Identity, commit_tree
from app.git.refs import require
from app.git.refusals import GitError, GitRefused
from app.git.running import git

_OURS = Identity("AgentPane", "agentpane@localhost", "0 +0000")


class Conflict(Struct, frozen=True):
    """One conflict, as git words it. `kind` is git's: `contents`, `add/add`, `modify/delete`, `binary`, …"""

    path: str
    kind: str
    message: str


class MergeResult(Struct, frozen=True):
    """`tree` is the merged tree; None on conflicts, and then `marked_tree` has the files with conflict marks."""

    tree: str | None
    marked_tree: str
    conflicts: tuple[Conflict, ...] = ()


async def merge_tree(cwd: Path, base_oid: str, head_oid: str) -> MergeResult:
    """What merging `head_oid` into `base_oid` gives. `.gitattributes` of the files at `cwd` apply.

    Raises `GitRefused` `unknown_revision`: git itself answers a bad name with the code of a conflict.
    """
    for oid in (base_oid, head_oid):
        await require(cwd, oid)
    answer = await git(
        cwd,
        "merge-tree",
        "--write-tree",
        "-z",
        "--messages",
        "--allow-unrelated-histories",
        base_oid,
        head_oid,
        check=False,
    )
    if answer.code not in (0, 1) or not answer.out:
        raise GitError(["merge-tree", base_oid, head_oid], answer.code, answer.err.decode(errors="replace"))
    fields = iter(answer.fields)
    tree = next(fields)
    return MergeResult(tree, tree) if answer.code == 0 else MergeResult(None, tree, _conflicts(fields))


async def merged_tree(cwd: Path, base: str, head: str) -> str:
    """As `merge_tree`, for callers that need it clean; raises `GitRefused` `conflict` with the paths."""
    result = await merge_tree(cwd, base, head)
    if result.tree is None:
        paths = sorted({conflict.path for conflict in result.conflicts})
        raise GitRefused("conflict", f"{len(paths)} file(s) are in conflict: {', '.join(paths[:5])}.", paths)
    return result.tree


async def tree_on(cwd: Path, tree: str, parents: list[str]) -> str:
    """A commit of `tree` for `merge_tree` to work with; no ref ever names it."""
    return await commit_tree(cwd, tree, parents, "trial", _OURS)


def _conflicts(fields: Iterator[str]) -> tuple[Conflict, ...]:
    in_base = {entry.partition("\t")[2] for entry in takewhile(bool, fields) if entry.split(" ", 2)[2].startswith("1")}
    return tuple(_messages(fields, in_base))


def _messages(fields: Iterator[str], in_base: set[str]) -> Iterator[Conflict]:
    for count in fields:
        paths = [next(fields) for _ in range(int(count))]
        kind, message = next(fields), next(fields).strip()
        if kind.startswith("CONFLICT"):
            path, name = paths[0] if paths else "", kind.removeprefix("CONFLICT").strip(" ()")
            yield Conflict(path, "add/add" if name == "contents" and path not in in_base else name, message)
