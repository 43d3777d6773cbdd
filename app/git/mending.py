"""Finishes an advance that a crash cut off, from what is found on disk. Run it for every journal found open."""

import contextlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct
from msgspec.structs import replace

from app.git.checkouts import checkouts, git_dir_of
from app.git.finishing import in_thread, uninterrupted
from app.git.index_locks import inherit_index_lock, own_index
from app.git.moving_files import Advance, bring_files
from app.git.obstacles import copy_index, holds_only_leaving
from app.git.refs import current_branch, is_ancestor, move_ref, resolve
from app.git.refusals import GitRefused
from app.git.repository import Repository
from app.git.running import git

_NONE = "000000"
_SUBMODULE = "160000"


class _Entry(Struct, frozen=True):
    """One changed path, with what each side has there."""

    path: str
    old_mode: str
    old_oid: str
    new_mode: str
    new_oid: str


async def mend(checkout: Path, branch: str, old: str, new: str) -> None:
    """Bring `checkout` and `branch` from wherever the crash left them to `new`; then the journal can be closed.

    A file that is neither as in `old` nor as in `new` is a person's by now: it stops everything. Raises
    `GitRefused` with nothing changed: `busy` (the advance, or another git, is still at work), `dirty` with the
    paths, `moved`, `not_on_base`.
    """
    await uninterrupted(_mend(Advance(checkout, await git_dir_of(checkout), branch, old, new)))


async def release_locks(repo: Repository) -> list[Path]:
    """Remove the index locks that a crash of ours left before anything was journaled; the checkouts freed.

    Locks of others, and of ours that are still at work, stay. Call it after `mend` of every open journal.
    """
    freed = []
    for place in await checkouts(repo.root):
        if place.is_bare or place.is_missing:
            continue
        git_dir = await git_dir_of(place.path)
        with contextlib.suppress(GitRefused):
            if (git_dir / "index.lock").exists():
                with inherit_index_lock(git_dir), own_index(git_dir):
                    freed.append(place.path)
    return freed


async def _mend(plan: Advance) -> None:
    with inherit_index_lock(plan.git_dir) as held, own_index(plan.git_dir):
        tip = await resolve(plan.checkout, f"refs/heads/{plan.branch}")
        if await _has_gone_on(plan, tip):
            return
        if not await _index_is_new(plan):
            await _finish_files(plan, held)
        if tip == plan.old:
            await move_ref(plan.checkout, f"refs/heads/{plan.branch}", plan.new, plan.old, "agentpane: merge")


async def _has_gone_on(plan: Advance, tip: str | None) -> bool:
    """Whether the merge is in and a person has committed on it, or left the branch, since."""
    current = await current_branch(plan.checkout)
    if tip == plan.old and current == plan.branch:
        return False
    if tip == plan.old:
        raise GitRefused("not_on_base", f"{plan.checkout} has {current or 'no branch'} checked out by now.")
    if tip is None or not await is_ancestor(plan.checkout, plan.new, tip):
        raise GitRefused("moved", f"{plan.branch} is at {tip or 'nothing'}, which is neither side of the merge.")
    return tip != plan.new or current != plan.branch


async def _index_is_new(plan: Advance) -> bool:
    """Files come before the index: with the index in place nothing but the ref can be missing."""
    copy_index(plan.git_dir, plan.index)
    changed = {entry.path for entry in await _entries(plan)}
    differing = {side: await _staged(plan, side) & changed for side in (plan.old, plan.new)}
    if not differing[plan.new]:
        return True
    if differing[plan.old]:
        raise _stop(differing[plan.old])
    return False


async def _finish_files(plan: Advance, held: int) -> None:
    entries = await _entries(plan)
    arrived, waiting = await _alike(plan, entries, is_new=True), await _alike(plan, entries, is_new=False)
    if foreign := {entry.path for entry in entries} - arrived - waiting:
        raise _stop(foreign)
    done = [entry for entry in entries if entry.path in arrived]
    await _stage(plan.checkout, plan.index, done, is_new=True)
    await git(plan.checkout, "update-index", "-q", "--refresh", index=plan.index, check=False)
    # From the tree as the crash left it: git would take a file that stands where `old` has a folder for foreign.
    rest = replace(plan, old=await _half_way_tree(plan, done))
    await in_thread(lambda: bring_files(rest, held))


async def _half_way_tree(plan: Advance, done: list[_Entry]) -> str:
    with TemporaryDirectory(prefix="agentpane-index-") as folder:
        index = Path(folder) / "index"
        await git(plan.checkout, "read-tree", plan.old, index=index)
        await _stage(plan.checkout, index, done, is_new=True)
        return (await git(plan.checkout, "write-tree", index=index)).text


async def _entries(plan: Advance) -> list[_Entry]:
    fields = (await git(plan.checkout, "diff-tree", "-r", "-z", "--no-renames", "--raw", plan.old, plan.new)).fields
    found = []
    for meta, path in zip(fields[0::2], fields[1::2], strict=True):
        old_mode, new_mode, old_oid, new_oid, _ = meta[1:].split(" ")
        found.append(_Entry(path, old_mode, old_oid, new_mode, new_oid))
    return found


async def _staged(plan: Advance, side: str) -> set[str]:
    listed = await git(plan.checkout, "diff-index", "-z", "--name-only", "--cached", side, index=plan.index)
    return set(listed.fields)


async def _alike(plan: Advance, entries: list[_Entry], *, is_new: bool) -> set[str]:
    """The paths whose files are as on that side, with filters, modes and symlinks as git sees them."""
    with TemporaryDirectory(prefix="agentpane-index-") as folder:
        index = Path(folder) / "index"
        await _stage(plan.checkout, index, entries, is_new=is_new)
        await git(plan.checkout, "update-index", "-q", "--refresh", index=index, check=False)
        differing = set((await git(plan.checkout, "diff-files", "-z", "--name-only", index=index)).fields)
    leaving = {entry.path: "D" for entry in entries if entry.new_mode == _NONE}
    return {entry.path for entry in entries if _is_alike(plan, entry, differing, leaving, is_new=is_new)}


def _is_alike(plan: Advance, entry: _Entry, differing: set[str], leaving: dict[str, str], *, is_new: bool) -> bool:
    place = plan.checkout / entry.path
    if _SUBMODULE in (entry.old_mode, entry.new_mode) or not os.path.lexists(place):
        # git writes no files for a submodule; and a file that is away was on its way from one side to the other.
        return not is_new or entry.new_mode == _NONE
    if entry.new_mode == _NONE and place.is_dir() and not place.is_symlink():
        return is_new
    if (entry.new_mode if is_new else entry.old_mode) == _NONE:
        return not is_new and holds_only_leaving(plan.checkout, place, leaving)
    return entry.path not in differing


async def _stage(checkout: Path, index: Path, entries: list[_Entry], *, is_new: bool) -> None:
    rows = [
        f"{entry.new_mode} {entry.new_oid}\t{entry.path}"
        if is_new
        else f"{entry.old_mode} {entry.old_oid}\t{entry.path}"
        for entry in entries
    ]
    # Removals first: a folder's files leave before a file takes its name.
    rows.sort(key=lambda row: not row.startswith(_NONE))
    text = os.fsencode("".join(row + "\0" for row in rows))
    await git(checkout, "update-index", "-z", "--index-info", input=text, index=index)


def _stop(paths: set[str]) -> GitRefused:
    named = sorted(paths)
    return GitRefused(
        "dirty", f"Changed since the merge was cut off: {', '.join(named[:5])}. Nothing was touched.", named
    )
