"""What a person has in a checkout, apart from times: taken before and after, it proves that nothing of theirs moved."""

import os
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tests.git.repositories import fields, user

#: Ours: the journal of snapshots and merges, and the branches of agents.
_NOT_THEIRS = ("refs/agentpane/", "refs/heads/agent/")
_UNFINISHED = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "ORIG_HEAD", "rebase-merge", "sequencer", "index.lock")


class Picture(Struct, frozen=True):
    """One checkout: bytes and modes of its files, entries of its index, HEAD, refs, stashes, configuration."""

    #: Mode and content of everything on disk, ignored files and empty folders too; of a link, where it leads.
    files: dict[str, tuple[int, bytes]]
    #: Flag, mode, oid and stage of every entry.
    index: dict[str, tuple[str, ...]]
    head: bytes
    refs: dict[str, str]
    stashes: str
    config: bytes
    unfinished: tuple[str, ...]


def picture(checkout: Path) -> Picture:
    """What a person has at `checkout`."""
    git_dir = Path(user(checkout, "rev-parse", "--absolute-git-dir"))
    common = Path(user(checkout, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    return Picture(
        files=_files(checkout),
        index=_index(checkout),
        head=(git_dir / "HEAD").read_bytes(),
        refs=_refs(checkout),
        stashes=user(checkout, "stash", "list", "--format=%H %gs"),
        config=(common / "config").read_bytes(),
        unfinished=tuple(name for name in _UNFINISHED if (git_dir / name).exists()),
    )


def advanced(before: Picture, branch: str, old: str, new: str, merged: Path) -> Picture:
    """What `before` becomes when `branch`, which it has checked out, goes from `old` to `new`: exactly the files that
    differ are as in `merged`, a fresh checkout of `new`."""
    there = picture(merged)
    changed = fields(merged, "diff", "--no-renames", "--name-only", "-z", old, new)
    return replace(
        moved(before, branch, new),
        files=_files_with(before.files, there.files, changed),
        index=_with(before.index, there.index, changed),
    )


def moved(before: Picture, branch: str, new: str) -> Picture:
    """What `before` becomes when a branch that it has not checked out moves: one ref."""
    return replace(before, refs=before.refs | {f"refs/heads/{branch}": new})


def _with(before: dict, after: dict, paths: list[str]) -> dict:
    gone = set(paths)
    kept = {name: content for name, content in before.items() if name not in gone}
    return kept | {path: after[path] for path in paths if path in after}


def _files_with(before: dict, after: dict, paths: list[str]) -> dict:
    """Folders come with their files; git removes those that a removal left empty."""
    found = _with(before, after, paths)
    needed = {folder for path in found for folder in _folders(path)}
    for folder in {folder for path in paths for folder in _folders(path)}:
        if folder in needed and folder in after:
            found.setdefault(folder, after[folder])
        elif folder not in needed and folder in before and folder not in after:
            found.pop(folder, None)
    return found


def _folders(path: str) -> list[str]:
    return [str(parent) for parent in Path(path).parents if str(parent) != "."]


def _files(root: Path) -> dict[str, tuple[int, bytes]]:
    """Without `.git` and without our own worktrees."""
    found = {}
    for parent, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", ".worktrees")]
        for name in (*folders, *files):
            path = Path(parent) / name
            if name != ".git":
                found[str(path.relative_to(root))] = (path.lstat().st_mode, _bytes(path))
    return found


def _bytes(path: Path) -> bytes:
    if path.is_symlink():
        return os.fsencode(path.readlink())
    return path.read_bytes() if path.is_file() else b""


def _index(root: Path) -> dict[str, tuple[str, ...]]:
    rows = [row.partition("\t") for row in fields(root, "ls-files", "-v", "--stage", "-z")]
    return {path: tuple(entry.split(" ")) for entry, _, path in sorted(rows)}


def _refs(root: Path) -> dict[str, str]:
    listed = [line.split(" ") for line in user(root, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()]
    return {name: oid for name, oid in listed if not name.startswith(_NOT_THEIRS)}
