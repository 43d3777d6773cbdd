"""What of a person's own work an advance of the checked-out branch would touch."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.git.own_files import copy_file
from app.git.refs import current_branch, is_ancestor, resolve
from app.git.refusals import GitRefused
from app.git.running import git

_UNFINISHED = (
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "BISECT_LOG",
    "rebase-merge",
    "rebase-apply",
    "sequencer",
)


async def require_base(checkout: Path, git_dir: Path, branch: str, old: str, new: str) -> None:
    """Refuse unless `branch` is checked out at `old`, nothing is half done, and `new` is ahead of it."""
    if Path((await git(checkout, "rev-parse", "--show-toplevel")).text) != checkout:
        raise GitRefused("misconfigured", f"core.worktree leads git from {checkout} to another folder; unset it first.")
    if unfinished := next((name for name in _UNFINISHED if (git_dir / name).exists()), None):
        raise GitRefused("busy", f"{checkout} is in the middle of something ({unfinished}); finish or abort it first.")
    if (current := await current_branch(checkout)) != branch:
        raise GitRefused("not_on_base", f"{checkout} has {current or 'no branch'} checked out, not {branch}.")
    await require_fast_forward(checkout, branch, old, new)


async def require_fast_forward(cwd: Path, branch: str, old: str, new: str) -> None:
    """Refuse unless `branch` is at `old` and `new` contains it."""
    if (tip := await resolve(cwd, f"refs/heads/{branch}")) != old:
        raise GitRefused("moved", f"{branch} is at {tip or 'nothing'} by now, not at {old}.")
    if not await is_ancestor(cwd, old, new):
        raise GitRefused("not_a_fast_forward", f"{new} does not build on {branch}.")


async def require_clear_way(checkout: Path, index: Path, old: str, new: str) -> None:
    """Refuse (`dirty`, `in_the_way`) when a path that changes from `old` to `new` holds anything of the person's own.

    `index` is a copy of the checkout's index; its file times are brought up to date.
    """
    changes = await changed_paths(checkout, old, new)
    await git(checkout, "update-index", "-q", "--refresh", index=index, check=False)
    if (await git(checkout, "ls-files", "-u", "-z", index=index)).out:
        raise GitRefused("busy", f"{checkout} has unresolved conflicts.")
    if touched := sorted(await _own_work(checkout, index, old) & changes.keys()):
        raise GitRefused("dirty", f"Commit or put aside: {_named(touched)}.", touched)
    if blocked := sorted(set(in_the_way(checkout, changes))):
        raise GitRefused("in_the_way", f"Files that git does not know are in the way: {_named(blocked)}.", blocked)


async def changed_paths(cwd: Path, old: str, new: str) -> dict[str, str]:
    """Each changed path with its status: A, D, M or T."""
    fields = (await git(cwd, "diff-tree", "-r", "-z", "--no-renames", "--name-status", old, new)).fields
    return dict(zip(fields[1::2], fields[0::2], strict=True))


def copy_index(git_dir: Path, copy: Path) -> None:
    """Copy the index of a checkout; refuses when there is none, since everything then counts as deleted."""
    try:
        # With its time: a file edited in the same tick as the index was written would else count as clean.
        copy.unlink(missing_ok=True)
        copy_file(git_dir / "index", copy)
    except FileNotFoundError as missing:
        raise GitRefused("dirty", f"{git_dir} has no index: nothing is checked out there.") from missing


def in_the_way(checkout: Path, changes: Mapping[str, str]) -> Iterator[str]:
    """Paths on disk, ignored ones too, that stand where a new file or one of its folders must be."""
    for path, status in changes.items():
        place = checkout / path
        if status == "A" and os.path.lexists(place) and not holds_only_leaving(checkout, place, changes):
            yield path
        if status != "D":
            yield from (parent for parent in _parents(path) if _is_no_folder(checkout / parent, changes.get(parent)))


def holds_only_leaving(checkout: Path, folder: Path, changes: Mapping[str, str]) -> bool:
    """Whether `folder` is a real folder in which every file goes away with the change."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        found = (str((Path(parent) / name).relative_to(checkout)) for name in (*files, *links))
        if any(changes.get(path) != "D" for path in found):
            return False
    return True


async def _own_work(checkout: Path, index: Path, old: str) -> set[str]:
    """Everything edited, deleted or staged, and what is hidden from git's own status by a flag."""
    edited = await git(checkout, "diff-files", "-z", "--name-only", "--ignore-submodules=dirty", index=index)
    staged = await git(checkout, "diff-index", "-z", "--name-only", "--cached", old, index=index)
    return {*edited.fields, *staged.fields, *await _flagged(checkout, index)}


async def _flagged(checkout: Path, index: Path) -> set[str]:
    rows = (await git(checkout, "ls-files", "-v", "-z", index=index)).fields
    assumed = {row[2:] for row in rows if row[0].islower()}
    return assumed | {row[2:] for row in rows if row[0] == "S" and os.path.lexists(checkout / row[2:])}


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _is_no_folder(place: Path, status: str | None) -> bool:
    # `read-tree` would replace such a file or symlink without a word, even an ignored one.
    return status != "D" and os.path.lexists(place) and (place.is_symlink() or not place.is_dir())


def _named(paths: list[str]) -> str:
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return ", ".join(os.fsencode(path).decode(errors="backslashreplace") for path in paths[:5]) + more
