"""The files of a worktree as they are now, taken through an index of our own, and saved as a commit on its branch."""

import asyncio
import os
import re
import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from weakref import WeakValueDictionary

from msgspec import Struct

from app.git.checkouts import git_dir_of
from app.git.commits import Identity, commit_tree
from app.git.finishing import uninterrupted
from app.git.index_locks import index_locked, own_index
from app.git.own_files import copy_file, read_note
from app.git.refs import ABSENT, current_branch, is_ancestor, move_ref, resolve, tree_of
from app.git.running import git
from app.git.sharing import record_of
from app.git.unresolved import noted, unresolved

_turns: WeakValueDictionary[tuple[int, Path], asyncio.Lock] = WeakValueDictionary()

#: A larger untracked file stays out of a snapshot: nobody means to commit a core dump.
LARGEST_FILE = 100 * 1024 * 1024


class Snapshot(Struct, frozen=True):
    """What a worktree held at one moment. Paths are decoded with surrogateescape."""

    #: With untracked files, without ignored ones. Nothing refers to it: anchor it, or git may drop it in 2 weeks.
    tree: str
    #: None before the first commit.
    head: str | None
    #: None when HEAD is detached.
    branch: str | None
    #: In the middle of a merge: the commits being merged.
    merging: tuple[str, ...] = ()
    #: Files with unresolved conflicts; their text, marks and all, is in the tree.
    unmerged: tuple[str, ...] = ()
    #: Repositories inside the worktree; their content is NOT in the tree.
    nested: tuple[str, ...] = ()
    #: Untracked files larger than the limit; NOT in the tree.
    too_large: tuple[str, ...] = ()


class Saved(Struct, frozen=True):
    """The outcome of `save`."""

    #: The new commit at HEAD; None when there was nothing to save.
    commit: str | None
    snapshot: Snapshot


async def snapshot(worktree: Path, *, limit: int = LARGEST_FILE) -> Snapshot:
    """Take the tree of `worktree` (its top folder). Its index, locks and files stay untouched.

    `limit` is the size in bytes above which an untracked file is left out and reported.
    """
    with TemporaryDirectory(prefix="agentpane-index-") as folder:
        return await _take(worktree, Path(folder) / "index", limit)


async def save(
    worktree: Path,
    message: str,
    author: Identity,
    *,
    committer: Identity | None = None,
    limit: int = LARGEST_FILE,
    break_locks: bool = False,
) -> Saved:
    """Commit everything in `worktree` at its HEAD, without hooks; a merge becomes a merge commit and ends.

    Files of it that nobody has resolved are noted in the message: see `app.git.unresolved`.
    `break_locks`: the caller has verified that no process works in the worktree, so lock files of a killed git
    are removed first. Raises `GitRefused`: `busy` (a lock is held), `moved` (HEAD moved meanwhile).
    """
    return await uninterrupted(
        _save(worktree, message, author, committer=committer or author, limit=limit, break_locks=break_locks)
    )


async def anchor(cwd: Path, ref: str, oid: str) -> None:
    """Let `ref` (`refs/agentpane/…`) keep `oid` from git's garbage collection."""
    await move_ref(cwd, ref, oid, message="agentpane: anchor")


async def _take(worktree: Path, index: Path, limit: int) -> Snapshot:
    git_dir = await git_dir_of(worktree)
    head = await resolve(worktree, "HEAD")
    await _copy_index(worktree, git_dir, index, head)
    await _unhide(worktree, index)
    unmerged = await _unmerged(worktree, index)
    nested, too_large = await _left_out(worktree, index, limit)
    await _add_all(worktree, index, [*nested, *too_large])
    return Snapshot(
        tree=(await git(worktree, "write-tree", index=index)).text,
        head=head,
        branch=await current_branch(worktree),
        merging=_merging(git_dir),
        unmerged=unmerged,
        nested=nested,
        too_large=too_large,
    )


async def _copy_index(worktree: Path, git_dir: Path, index: Path, head: str | None) -> None:
    """The copy keeps git's cache of file times: without it every file is read again."""
    if (git_dir / "index").exists():
        # With its own time: a file edited in the same tick as the index was written would else count as clean.
        copy_file(git_dir / "index", index)
    elif head is not None:
        await git(worktree, "read-tree", head, index=index)


async def _unhide(worktree: Path, index: Path) -> None:
    """Entries marked assume-unchanged or skip-worktree that are on disk would otherwise keep their old content."""
    listed = (await git(worktree, "ls-files", "-v", "-z", index=index)).fields
    hidden = [row[2:] for row in listed if row[0] == "S" or row[0].islower()]
    present = [path for path in hidden if os.path.lexists(worktree / path)]
    if not present:
        return
    names = os.fsencode("\0".join(present) + "\0")
    for flag in ("--no-assume-unchanged", "--no-skip-worktree"):
        await git(worktree, "update-index", "-z", flag, "--stdin", input=names, index=index)


async def _unmerged(worktree: Path, index: Path) -> tuple[str, ...]:
    rows = (await git(worktree, "ls-files", "-u", "-z", index=index)).fields
    return tuple(sorted({row.partition("\t")[2] for row in rows}))


async def _left_out(worktree: Path, index: Path, limit: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Untracked nested repositories (git lists each as one folder) and untracked files above `limit`."""
    others = (await git(worktree, "ls-files", "-o", "--exclude-standard", "-z", index=index)).fields
    nested = tuple(path.rstrip("/") for path in others if path.endswith("/"))
    too_large = tuple(path for path in others if not path.endswith("/") and _size(worktree / path) > limit)
    return nested, too_large


def _size(file: Path) -> int:
    try:
        found = file.lstat()
    except FileNotFoundError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


async def _add_all(worktree: Path, index: Path, without: list[str]) -> None:
    specs = [".", *(f":(exclude,literal,top){path}" for path in without)]
    await git(
        worktree,
        "-c",
        "core.safecrlf=false",
        "add",
        "-A",
        "--sparse",
        "--pathspec-from-file=-",
        "--pathspec-file-nul",
        input=os.fsencode("\0".join(specs)),
        index=index,
        env={"GIT_LITERAL_PATHSPECS": "0"},
    )


def _merging(git_dir: Path) -> tuple[str, ...]:
    """Nothing but names of objects: the text of any other file would come back in git's own words."""
    note = (read_note(git_dir / "MERGE_HEAD") or b"").decode("ascii", errors="replace").split()
    return tuple(oid for oid in note if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", oid))


async def _save(
    worktree: Path, message: str, author: Identity, *, committer: Identity, limit: int, break_locks: bool
) -> Saved:
    git_dir = await git_dir_of(worktree)
    async with _turn_in(git_dir):
        if break_locks:
            await _remove_locks(worktree, git_dir)
        with index_locked(git_dir):
            saved = await _save_locked(worktree, git_dir, message, author, committer=committer, limit=limit)
        if saved.snapshot.merging:
            await git(worktree, "merge", "--quit")
        return saved


def _turn_in(git_dir: Path) -> asyncio.Lock:
    """One save after the other in a worktree: of two at once, one would take the other's lock for a dead git's."""
    key = (id(asyncio.get_running_loop()), git_dir)
    return _turns.setdefault(key, asyncio.Lock())


async def _save_locked(
    worktree: Path, git_dir: Path, message: str, author: Identity, *, committer: Identity, limit: int
) -> Saved:
    with own_index(git_dir) as index:
        taken = await _take(worktree, index, limit)
        parents = await _parents(worktree, taken)
        if parents is None:
            # What was staged and then deleted is in no commit, and would keep the worktree from being removed.
            index.replace(git_dir / "index")
            return Saved(None, taken)
        message = noted(message, await unresolved(worktree, taken.tree, taken.unmerged))
        commit = await commit_tree(worktree, taken.tree, parents, message, author, committer=committer)
        await move_ref(
            worktree, "HEAD", commit, taken.head or ABSENT, "agentpane: save", itself=_is_elsewhere(worktree, taken)
        )
        # Otherwise the worktree's own index would show the commit reversed.
        index.replace(git_dir / "index")
        return Saved(commit, taken)


def _is_elsewhere(worktree: Path, taken: Snapshot) -> bool:
    """Whether a worktree of ours has a branch checked out that is not its own: nothing of ours may move that one, so
    the commit is made beside it, and the worktree's own branch can take it over."""
    own = (record := record_of(worktree)) and record.branch
    return bool(own) and taken.branch is not None and taken.branch != own


async def _parents(worktree: Path, taken: Snapshot) -> list[str] | None:
    """None when there is nothing to commit."""
    if taken.head is None:
        return []
    # A crash may have come between the commit of a merge and the end of its state.
    merging = [oid for oid in taken.merging if not await is_ancestor(worktree, oid, taken.head)]
    if merging:
        return [taken.head, *merging]
    return None if await tree_of(worktree, taken.head) == taken.tree else [taken.head]


async def _remove_locks(worktree: Path, git_dir: Path) -> None:
    locks = [git_dir / "index.lock", git_dir / "HEAD.lock"]
    if branch := await current_branch(worktree):
        ref = await git(worktree, "rev-parse", "--path-format=absolute", "--git-path", f"refs/heads/{branch}.lock")
        locks.append(Path(ref.text))
    for lock in locks:
        lock.unlink(missing_ok=True)
