"""A worktree whose work nobody wants: made for a moment, and taken away with its branches and whatever lies in it."""

import asyncio
import os
import shutil
from pathlib import Path

from app.git.checkouts import OURS, Checkout, absolute, checkouts, lock_of, registered
from app.git.finishing import uninterrupted
from app.git.refs import drop_ref
from app.git.refusals import GitRefused
from app.git.removing import take_down
from app.git.repository import Repository
from app.git.running import git
from app.git.worktrees import add, hide

#: Lock reasons of such worktrees begin so; the name of the one follows.
MARK = f"{OURS}scratch:"
#: Its branches lie in a folder of their own, which is all of the repository's names that a confined program can write.
_BRANCHES = "agentpane-scratch"


def branch_for(name: str) -> str:
    """The branch of the scratch worktree `name`."""
    return f"{_BRANCHES}/{name}/work"


async def make_scratch(repo: Repository, path: Path, name: str, base_oid: str) -> Checkout:
    """Check `base_oid` out at `path`, on a branch of its own. Raises as `app.git.worktrees.add`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.is_relative_to(repo.root):
        await hide(repo, f"{path.parent.relative_to(repo.root)}/")
    return await add(repo, path, branch_for(name), base_oid, MARK + name)


async def discard_scratch(repo: Repository, path: Path, name: str) -> None:
    """Take it away with all that is in it; gone already is fine. Its processes have ended before.

    Nothing but a worktree that was made as `name` is touched. Raises `GitRefused`, `GitError`.
    """
    async with lock_of(repo):
        await uninterrupted(_discard(repo, absolute(path), name))


async def forgotten_scratches(repo: Repository) -> list[tuple[Path, str]]:
    """Where scratch worktrees lie that nobody took away, and their names."""
    found = [(place.path, place.lock_reason or "") for place in await checkouts(repo.root)]
    return [(path, reason.removeprefix(MARK)) for path, reason in found if reason.startswith(MARK)]


async def _discard(repo: Repository, path: Path, name: str) -> None:
    found = await registered(repo.root, path)
    if found is not None:
        if found.is_main or found.lock_reason != MARK + name:
            raise GitRefused("not_ours", f"{path} is not a worktree made for this; it stays.", [str(path)])
        try:
            await take_down(repo, found, "--force")
        except GitRefused as refusal:
            if refusal.reason != "left_behind":
                raise
            await asyncio.to_thread(shutil.rmtree, path)
    listed = await git(
        repo.root, "for-each-ref", "--format=%(objectname) %(refname)", f"refs/heads/{_BRANCHES}/{name}/"
    )
    for line in listed.text.splitlines():
        oid, _, ref = line.partition(" ")
        await drop_ref(repo.root, ref, oid)
    await asyncio.to_thread(_drop_folders, repo.common_dir, name)


def _drop_folders(common: Path, name: str) -> None:
    """What git leaves of a branch's folders, which a sandbox made in advance."""
    for place in (common / "refs" / "heads", common / "logs" / "refs" / "heads"):
        shutil.rmtree(place / _BRANCHES / name, ignore_errors=True)
        try:
            os.rmdir(place / _BRANCHES)  # noqa: PTH106 - only while no other is there
        except OSError:
            continue
