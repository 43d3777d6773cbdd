"""Every working copy of a repository, and which branch each of them holds, also in the middle of a rebase."""

import asyncio
import os
from pathlib import Path
from weakref import WeakValueDictionary

from msgspec import Struct

from app.git.repository import Repository
from app.git.running import git
from app.git.sharing import OURS

_locks: WeakValueDictionary[tuple[int, Path], asyncio.Lock] = WeakValueDictionary()


class Checkout(Struct, frozen=True):
    """One working copy as `git worktree list` knows it."""

    path: Path
    head: str
    #: None when detached.
    branch: str | None
    #: None when not locked; `""` when locked without a reason.
    lock_reason: str | None
    is_main: bool
    is_bare: bool

    @property
    def is_ours(self) -> bool:
        """Whether its lock says that we made it."""
        return (self.lock_reason or "").startswith(OURS)

    @property
    def is_missing(self) -> bool:
        """Whether its folder is gone."""
        return not self.path.is_dir()


async def checkouts(cwd: Path) -> list[Checkout]:
    """All working copies of the repository at `cwd`, the main one first."""
    answer = await git(cwd, "worktree", "list", "--porcelain", "-z")
    records = [record for record in os.fsdecode(answer.out).split("\0\0") if record]
    return [_parse(record, is_main=place == 0) for place, record in enumerate(records)]


async def registered(cwd: Path, path: Path) -> Checkout | None:
    """The working copy at `path`, an `absolute` one, if the repository at `cwd` knows it."""
    return next((place for place in await checkouts(cwd) if place.path == path), None)


def absolute(path: Path) -> Path:
    """`path` as git lists it: git takes a relative path, or the end of one, as meaning another worktree."""
    return path.parent.resolve() / path.name


def lock_of(repo: Repository) -> asyncio.Lock:
    """One lock per repository: parallel `git worktree` calls in one repository break each other."""
    key = (id(asyncio.get_running_loop()), repo.common_dir)
    return _locks.setdefault(key, asyncio.Lock())


async def holders(cwd: Path, branch: str) -> list[Checkout]:
    """The working copies that have `branch` checked out, or will again when their rebase or bisect ends."""
    return [place for place in await checkouts(cwd) if await _holds(place, branch)]


async def git_dir_of(path: Path) -> Path:
    """The git folder of the working copy at `path` alone."""
    return Path((await git(path, "rev-parse", "--absolute-git-dir")).text)


def _parse(record: str, is_main: bool) -> Checkout:
    words = dict(line.partition(" ")[::2] for line in record.split("\0") if line)
    branch = words.get("branch")
    return Checkout(
        path=Path(words["worktree"]),
        head=words.get("HEAD", ""),
        branch=branch.removeprefix("refs/heads/") if branch else None,
        lock_reason=words.get("locked"),
        is_main=is_main,
        is_bare="bare" in words,
    )


async def _holds(place: Checkout, branch: str) -> bool:
    if place.branch is not None:
        return place.branch == branch
    return not place.is_bare and not place.is_missing and branch in _put_aside(await git_dir_of(place.path))


def _put_aside(git_dir: Path) -> set[str]:
    """Branches a detached copy goes back to: git calls it detached while it rebases or bisects."""
    notes = ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START")
    names = (
        (git_dir / note).read_text(errors="surrogateescape").strip() for note in notes if (git_dir / note).is_file()
    )
    return {name.removeprefix("refs/heads/") for name in names}
