"""Moves a branch forward. Where it is checked out, its files, its index and the ref move together under git's
own index lock, and whatever would touch a person's own work is refused before anything has changed.

The order is index before ref: `git commit` reads HEAD, then the index, and only then takes its locks; with the ref
moved first it could commit the old index on top, which takes the merge back without a word.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from app.git.checkouts import Checkout, checkouts, git_dir_of, holders
from app.git.finishing import in_thread, uninterrupted
from app.git.index_locks import index_locked, own_index
from app.git.moving_files import Advance, bring_files, bring_files_and_ref
from app.git.obstacles import copy_index, require_base, require_clear_way, require_fast_forward
from app.git.refs import move_ref, resolve
from app.git.refusals import GitRefused
from app.git.repository import Repository

_ATTEMPTS = 3


class Journal(Protocol):
    """Remembers, outside this process, that a checkout is being changed. Open at the start: see `app.git.mending`."""

    async def open(self, checkout: Path, old: str, new: str) -> None:
        """On disk before it returns."""

    async def close(self) -> None:
        """All is in place, or all is as it was."""


async def advance(repo: Repository, branch: str, old: str, new: str, journal: Journal) -> Path | None:
    """Move `branch` from `old` to `new` (oids) and return the checkout that moved with it, None if it is in none.

    Raises `GitRefused` with nothing changed: `busy` (another git, or an unfinished merge, rebase or bisect), `moved`,
    `not_a_fast_forward`, `not_on_base`, `dirty` and `in_the_way` (with `paths`). Any other error leaves the journal
    open. Once files change it goes through to its end, whoever cancels.
    """
    for _ in range(_ATTEMPTS):
        places = await holders(repo.root, branch)
        if len(places) > 1:
            raise GitRefused("busy", f"{branch} is checked out in more than one place.", [str(p.path) for p in places])
        if places:
            await _advance_checkout(places[0].path, branch, old, new, journal)
            return places[0].path
        if await uninterrupted(_advance_ref(repo, branch, old, new, journal)):
            return None
    raise GitRefused("busy", f"{branch} is being checked out again and again; try again in a moment.")


async def _advance_checkout(checkout: Path, branch: str, old: str, new: str, journal: Journal) -> None:
    plan = Advance(checkout, await git_dir_of(checkout), branch, old, new)
    # Once without the lock, so that a refusal disturbs nobody and the files read are in memory for the second time.
    with TemporaryDirectory(prefix="agentpane-index-") as folder:
        await _require_clear(plan, Path(folder) / "index")
    await uninterrupted(_advance_locked(plan, journal))


async def _advance_locked(plan: Advance, journal: Journal) -> None:
    with index_locked(plan.git_dir) as held, own_index(plan.git_dir):
        await _require_clear(plan, plan.index)
        await _journaled(plan, journal, lambda: bring_files_and_ref(plan, held))


async def _require_clear(plan: Advance, index: Path) -> None:
    await require_base(plan.checkout, plan.git_dir, plan.branch, plan.old, plan.new)
    copy_index(plan.git_dir, index)
    await require_clear_way(plan.checkout, index, plan.old, plan.new)


async def _journaled(plan: Advance, journal: Journal, work: Callable[[], None]) -> None:
    await journal.open(plan.checkout, plan.old, plan.new)
    try:
        await in_thread(work)
    except GitRefused:
        await journal.close()
        raise
    await journal.close()


async def _advance_ref(repo: Repository, branch: str, old: str, new: str, journal: Journal) -> bool:
    """False when somebody has checked the branch out meanwhile. Their index locks keep everybody else from that."""
    with contextlib.ExitStack() as locks:
        for place in await checkouts(repo.root):
            if not (place.is_ours or place.is_bare or place.is_missing):
                locks.enter_context(index_locked(await git_dir_of(place.path)))
        if await holders(repo.root, branch):
            return False
        await require_fast_forward(repo.root, branch, old, new)
        await move_ref(repo.root, f"refs/heads/{branch}", new, old, "agentpane: merge")
    for place in await holders(repo.root, branch):
        await _catch_up(place, branch, old, new, journal)
    return True


async def _catch_up(place: Checkout, branch: str, old: str, new: str, journal: Journal) -> None:
    """A `git checkout` of the branch that had begun before our lock read the old commit: bring its files along."""
    plan = Advance(place.path, await git_dir_of(place.path), branch, old, new)
    try:
        with index_locked(plan.git_dir) as held, own_index(plan.git_dir):
            copy_index(plan.git_dir, plan.index)
            await require_clear_way(plan.checkout, plan.index, old, new)
            await _journaled(plan, journal, lambda: bring_files(plan, held))
    except GitRefused:
        if await resolve(place.path, f"refs/heads/{branch}") == new:
            await move_ref(place.path, f"refs/heads/{branch}", old, new, "agentpane: merge taken back")
        raise
