"""Worktrees of our own: made locked and marked, each with a branch; how they are removed: `removing.py`."""

import os
from pathlib import Path

from app.git.checkouts import Checkout, absolute, checkouts, git_dir_of, lock_of, registered
from app.git.finishing import uninterrupted
from app.git.refs import ABSENT, drop_ref, move_ref, resolve
from app.git.refusals import GitError, GitRefused
from app.git.removing import take_down
from app.git.repository import Repository, branch_in_the_way, branch_oid, check_branch_name
from app.git.running import git
from app.git.sharing import note_branch, require_record

_ATTEMPTS = 4
#: Filters such as Git LFS may download every large file.
_SECONDS_TO_CHECK_OUT = 3600.0


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
        return await uninterrupted(_add(repo, absolute(path), branch, base_oid, lock_reason))


async def attach(repo: Repository, path: Path, branch: str, lock_reason: str) -> Checkout:
    """As `add`, for a branch that exists already, is checked out nowhere, and stays when this fails."""
    await check_branch_name(branch)
    async with lock_of(repo):
        return await uninterrupted(_attach(repo, absolute(path), branch, lock_reason))


async def delete_branch(repo: Repository, branch: str, tip: str, archive_ref: str) -> None:
    """Delete `branch` if it is still at `tip`, which `archive_ref` keeps from then on.

    Raises `GitRefused`: `checked_out`, `moved`, `busy`.
    """
    if holder := next((place for place in await checkouts(repo.root) if place.branch == branch), None):
        raise GitRefused("checked_out", f"{branch} is checked out in {holder.path}.", [str(holder.path)])
    await move_ref(repo.root, archive_ref, tip, message=f"agentpane: archive {branch}")
    await drop_ref(repo.root, f"refs/heads/{branch}", tip)


async def hide(repo: Repository, folder: str) -> None:
    """Keep `folder` (`.worktrees/`, below the project) out of the status of every copy, through info/exclude."""
    answer = await git(repo.root, "rev-parse", "--path-format=absolute", "--git-path", "info/exclude")
    _append_line(Path(answer.text), "/" + _escaped(repo.prefix + folder.strip("/")) + "/")


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
    found = await registered(repo.root, path)
    if found is None:
        if os.path.lexists(path):
            raise GitRefused("path_exists", f"{path} exists already and is not a worktree of ours.", [str(path)])
        return None
    if found.lock_reason != reason:
        raise GitRefused("path_exists", f"{path} is another worktree of this repository.", [str(path)])
    if found.is_missing or await _is_half_made(found):
        await take_down(repo, found, "--force")
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
    found = await registered(repo.root, path)
    if found is None:
        raise GitError(["worktree", "add", str(path)], 0, "git does not list the worktree it has just made")
    note_branch(require_record(path), branch)
    return found


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
