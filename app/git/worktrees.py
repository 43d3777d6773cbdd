"""Worktrees of our own: made locked and marked, removed only when they are provably ours and hold nothing unsaved."""

import asyncio
import os
from pathlib import Path
from weakref import WeakValueDictionary

from msgspec import Struct

from app.git.checkouts import Checkout, checkouts, git_dir_of
from app.git.finishing import uninterrupted
from app.git.refs import ABSENT, current_branch, drop_ref, move_ref, resolve
from app.git.refusals import GitError, GitRefused
from app.git.repository import Repository, branch_in_the_way, branch_oid, check_branch_name
from app.git.running import git

_ATTEMPTS = 4
#: Filters such as Git LFS may download every large file.
_SECONDS_TO_CHECK_OUT = 3600.0
_locks: WeakValueDictionary[tuple[int, Path], asyncio.Lock] = WeakValueDictionary()


class Removed(Struct, frozen=True):
    """What a removal took with it."""

    #: Ignored files and folders (these with a closing slash) that were deleted with the worktree.
    ignored: tuple[str, ...] = ()
    #: The folder was gone already; only git's record was left to clear.
    had_vanished: bool = False


async def add(repo: Repository, path: Path, branch: str, base_oid: str, lock_reason: str) -> Checkout:
    """Make the branch at `base_oid` and check it out at `path`, a folder that does not exist yet.

    `lock_reason` begins with `OURS`. Done before with the same arguments: the worktree there is, is the answer.
    On failure neither folder nor branch stay behind. Raises `GitRefused`: `bad_branch_name`, `base_missing`,
    `branch_exists`, `path_exists`; `GitError` where git itself fails, as with a missing filter program.
    """
    await check_branch_name(branch)
    if await resolve(repo.root, base_oid) != base_oid:
        raise GitRefused("base_missing", f"The base commit {base_oid} is not in the repository.")
    async with lock_of(repo):
        return await uninterrupted(_add(repo, _absolute(path), branch, base_oid, lock_reason))


async def attach(repo: Repository, path: Path, branch: str, lock_reason: str) -> Checkout:
    """As `add`, for a branch that exists already, is checked out nowhere, and stays when this fails."""
    await check_branch_name(branch)
    async with lock_of(repo):
        return await uninterrupted(_attach(repo, _absolute(path), branch, lock_reason))


async def remove(repo: Repository, path: Path, lock_reason: str, expected_branch: str) -> Removed:
    """Remove our worktree at `path`; the branch stays. Its processes are dead and its work is saved before.

    Gone already is fine. Raises `GitRefused`: `not_ours` (not in git's list with exactly this reason, or the
    project's own folder), `moved` (another branch, or none, is checked out), `unsaved` (git sees files that no
    commit has), `left_behind` (git forgot it, its folder is still there). It is locked again after a refusal.
    """
    async with lock_of(repo):
        return await uninterrupted(_remove(repo, _absolute(path), lock_reason, expected_branch))


async def delete_branch(repo: Repository, branch: str, tip: str, archive_ref: str) -> None:
    """Delete `branch` if it is still at `tip`, which `archive_ref` keeps from then on.

    Raises `GitRefused`: `checked_out`, `moved`, `busy`.
    """
    if holder := next((place for place in await checkouts(repo.root) if place.branch == branch), None):
        raise GitRefused("checked_out", f"{branch} is checked out in {holder.path}.", [str(holder.path)])
    await move_ref(repo.root, archive_ref, tip, message=f"agentpane: archive {branch}")
    await drop_ref(repo.root, f"refs/heads/{branch}", tip)


async def ignored_files(path: Path) -> tuple[str, ...]:
    """What .gitignore keeps out of every snapshot: lost when the worktree is removed. Folders end with a slash."""
    answer = await git(path, "ls-files", "-o", "-i", "--exclude-standard", "--directory", "-z")
    return tuple(answer.fields)


async def hide(repo: Repository, folder: str) -> None:
    """Keep `folder` (`.worktrees/`, below the project) out of the status of every copy, through info/exclude."""
    answer = await git(repo.root, "rev-parse", "--path-format=absolute", "--git-path", "info/exclude")
    _append_line(Path(answer.text), "/" + _escaped(repo.prefix + folder.strip("/")) + "/")


def lock_of(repo: Repository) -> asyncio.Lock:
    """One lock per repository: parallel `git worktree` calls in one repository break each other."""
    key = (id(asyncio.get_running_loop()), repo.common_dir)
    return _locks.setdefault(key, asyncio.Lock())


def _absolute(path: Path) -> Path:
    # git takes a relative path, or the end of one, as meaning another worktree.
    return path.parent.resolve() / path.name


async def _add(repo: Repository, path: Path, branch: str, base_oid: str, reason: str) -> Checkout:
    if found := await _made_before(repo, path, branch, reason):
        return found
    mark = f"agentpane: made for {reason}"
    ref = f"refs/heads/{branch}"
    if not await _was_begun(repo, ref, base_oid, mark):
        if other := await branch_in_the_way(repo, branch):
            raise GitRefused("branch_exists", f"The branch {other} exists already.")
        await git(repo.root, "update-ref", "--create-reflog", "-m", mark, ref, base_oid, ABSENT)
    try:
        return await _check_out(repo, path, branch, reason)
    except (GitError, GitRefused):
        await drop_ref(repo.root, ref, base_oid)
        raise


async def _attach(repo: Repository, path: Path, branch: str, reason: str) -> Checkout:
    if found := await _made_before(repo, path, branch, reason):
        return found
    if await branch_oid(repo, branch) is None:
        raise GitRefused("base_missing", f"There is no branch {branch}.")
    return await _check_out(repo, path, branch, reason)


async def _made_before(repo: Repository, path: Path, branch: str, reason: str) -> Checkout | None:
    found = await _registered(repo, path)
    if found is None:
        if os.path.lexists(path):
            raise GitRefused("path_exists", f"{path} exists already and is not a worktree of ours.", [str(path)])
        return None
    if found.lock_reason != reason:
        raise GitRefused("path_exists", f"{path} is another worktree of this repository.", [str(path)])
    if found.is_missing or await _is_half_made(found):
        await _take_down(repo, found, "--force")
        return None
    if found.branch != branch:
        raise GitRefused("path_exists", f"{path} has {found.branch or 'no branch'} checked out.", [str(path)])
    return found


async def _is_half_made(place: Checkout) -> bool:
    """Whether the server died while git wrote the files: the index is written last, so nobody has worked in it."""
    return not (await git_dir_of(place.path) / "index").exists()


async def _was_begun(repo: Repository, ref: str, base_oid: str, mark: str) -> bool:
    """Whether an attempt that was cut off made this branch: it is where we put it, and its log says so."""
    if await resolve(repo.root, ref) != base_oid:
        return False
    log = await git(repo.root, "reflog", "show", "--format=%gs", ref, "--", check=False)
    return log.text.splitlines()[-1:] == [mark]


async def _check_out(repo: Repository, path: Path, branch: str, reason: str) -> Checkout:
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ("worktree", "add", "-q", "--lock", "--reason", reason, "--", path, branch)
    for attempt in range(_ATTEMPTS):
        answer = await git(repo.root, *command, check=False, seconds=_SECONDS_TO_CHECK_OUT)
        # Somebody else's git (an agent's, another process of ours) was inside `git worktree` as well.
        if answer.code == 0 or b"commondir" not in answer.err or attempt == _ATTEMPTS - 1:
            break
    if answer.code:
        raise GitError(["worktree", "add", str(path)], answer.code, answer.err.decode(errors="replace"))
    found = await _registered(repo, path)
    if found is None:
        raise GitError(["worktree", "add", str(path)], 0, "git does not list the worktree it has just made")
    return found


async def _registered(repo: Repository, path: Path) -> Checkout | None:
    return next((place for place in await checkouts(repo.root) if place.path == path), None)


async def _remove(repo: Repository, path: Path, reason: str, branch: str) -> Removed:
    found = await _registered(repo, path)
    if found is None and not os.path.lexists(path):
        return Removed(had_vanished=True)
    if found is None or found.is_main or found.lock_reason != reason or repo.root.is_relative_to(path):
        raise GitRefused("not_ours", f"{path} is not a worktree made for this; it stays.", [str(path)])
    if found.is_missing:
        await _take_down(repo, found)
        return Removed(had_vanished=True)
    if not (await git_dir_of(path)).resolve().is_relative_to(repo.common_dir / "worktrees"):
        raise GitRefused("not_ours", f"{path} belongs to another repository; it stays.", [str(path)])
    if (current := await current_branch(path)) != branch:
        raise GitRefused("moved", f"{path} has {current or 'no branch'} checked out instead of {branch}; it stays.")
    ignored = await ignored_files(path)
    await _take_down(repo, found)
    return Removed(ignored=ignored)


async def _take_down(repo: Repository, place: Checkout, *force: str) -> None:
    await git(repo.root, "worktree", "unlock", place.path)
    answer = await git(repo.root, "worktree", "remove", *force, place.path, check=False)
    if answer.code == 0:
        return
    if await _registered(repo, place.path) is None:
        raise GitRefused(
            "left_behind", f"git no longer knows {place.path}, but files are left in it.", [str(place.path)]
        )
    await git(repo.root, "worktree", "lock", "--reason", place.lock_reason or "", place.path)
    text = answer.err.decode(errors="replace").strip()
    raise GitRefused("unsaved", f"{place.path} holds work that is in no commit; it stays. git says: {text}")


def _escaped(pattern: str) -> str:
    return "".join(f"\\{char}" if char in "\\*?[ " else char for char in pattern)


def _append_line(file: Path, line: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_bytes() if file.exists() else b""
    wanted = os.fsencode(line)
    if wanted in before.splitlines():
        return
    with file.open("ab") as end:
        end.write((b"" if before.endswith(b"\n") or not before else b"\n") + wanted + b"\n")
