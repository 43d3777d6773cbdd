"""Remove worktrees that are provably ours and hold nothing unsaved; take back a removal that was cut off."""

import os
from pathlib import Path

from msgspec import Struct

from app.git.checkouts import Checkout, absolute, git_dir_of, lock_of, registered
from app.git.finishing import uninterrupted
from app.git.own_files import read_note, write_note
from app.git.refs import current_branch
from app.git.refusals import GitRefused
from app.git.repository import Repository
from app.git.running import git

#: A file in git's record of a worktree, with its lock reason: the lock is off because we are removing it.
_NOTE = "agentpane-removing"


class Removed(Struct, frozen=True):
    """What a removal took with it."""

    #: Ignored files and folders (these with a closing slash) that were deleted with the worktree.
    ignored: tuple[str, ...] = ()
    #: The folder was gone already; only git's record was left to clear.
    had_vanished: bool = False


async def remove(repo: Repository, path: Path, lock_reason: str, expected_branch: str) -> Removed:
    """Remove our worktree at `path`; the branch stays. Its processes are dead and its work is saved before.

    Gone already is fine. Raises `GitRefused`: `not_ours` (not in git's list with exactly this reason, or the
    project's own folder), `moved` (another branch, or none, is checked out), `unsaved` (git sees files that no
    commit has), `left_behind` (git forgot it, its folder is still there). It is locked again after a refusal.
    """
    async with lock_of(repo):
        return await uninterrupted(_remove(repo, absolute(path), lock_reason, expected_branch))


async def take_back_removal(repo: Repository, path: Path, lock_reason: str) -> bool:
    """Make a worktree whole again whose removal a crash cut off, and lock it; whether there was such a one.

    Else the files that were deleted already would look like work, and be committed as deletions.
    """
    async with lock_of(repo):
        return await uninterrupted(_take_back(repo, absolute(path), lock_reason))


async def ignored_files(path: Path) -> tuple[str, ...]:
    """What .gitignore keeps out of every snapshot: lost when the worktree is removed. Folders end with a slash."""
    answer = await git(path, "ls-files", "-o", "-i", "--exclude-standard", "--directory", "-z")
    return tuple(answer.fields)


async def _remove(repo: Repository, path: Path, reason: str, branch: str) -> Removed:
    found = await registered(repo.root, path)
    if found is None and not os.path.lexists(path):
        return Removed(had_vanished=True)
    if found is None or found.is_main or found.lock_reason != reason or repo.root.is_relative_to(path):
        raise GitRefused("not_ours", f"{path} is not a worktree made for this; it stays.", [str(path)])
    if found.is_missing:
        await take_down(repo, found)
        return Removed(had_vanished=True)
    if not (await git_dir_of(path)).resolve().is_relative_to(repo.common_dir / "worktrees"):
        raise GitRefused("not_ours", f"{path} belongs to another repository; it stays.", [str(path)])
    if (current := await current_branch(path)) != branch:
        raise GitRefused("moved", f"{path} has {current or 'no branch'} checked out instead of {branch}; it stays.")
    ignored = await ignored_files(path)
    await take_down(repo, found)
    return Removed(ignored=ignored)


async def take_down(repo: Repository, place: Checkout, *force: str) -> None:
    """Let git remove `place`, a locked worktree of ours. The caller holds the repository's lock."""
    note = _record_of(repo, place.path) / _NOTE
    write_note(note, (place.lock_reason or "").encode())
    await git(repo.root, "worktree", "unlock", place.path)
    answer = await git(repo.root, "worktree", "remove", *force, place.path, check=False)
    if answer.code == 0:
        return
    if await registered(repo.root, place.path) is None:
        raise GitRefused(
            "left_behind", f"git no longer knows {place.path}, but files are left in it.", [str(place.path)]
        )
    await git(repo.root, "worktree", "lock", "--reason", place.lock_reason or "", place.path)
    note.unlink(missing_ok=True)
    text = answer.err.decode(errors="replace").strip()
    raise GitRefused("unsaved", f"{place.path} holds work that is in no commit; it stays. git says: {text}")


async def _take_back(repo: Repository, path: Path, reason: str) -> bool:
    found = await registered(repo.root, path)
    if found is None or found.lock_reason is not None:
        return False
    note = _record_of(repo, path) / _NOTE
    if read_note(note) != reason.encode():
        return False
    if not found.is_missing:
        if not (path / ".git").exists():
            (path / ".git").write_bytes(b"gitdir: " + os.fsencode(note.parent) + b"\n")
        deleted = (await git(path, "ls-files", "-z", "--deleted")).out
        await git(path, "checkout-index", "-z", "--stdin", input=deleted)
    await git(repo.root, "worktree", "lock", "--reason", reason, path)
    note.unlink()
    return True


def _record_of(repo: Repository, path: Path) -> Path:
    """git's folder for the worktree at `path`, also when that is gone."""
    for link in (repo.common_dir / "worktrees").glob("*/gitdir"):
        if Path(os.fsdecode(link.read_bytes()).rstrip("\n")).parent == path:
            return link.parent
    raise GitRefused("not_ours", f"git keeps no record of {path}.", [str(path)])
