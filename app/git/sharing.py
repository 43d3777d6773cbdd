"""What a program that is confined to a worktree of ours gets of the repository: enough to commit on its own branch.

Writable are new loose objects, the worktree's own record, and the folder of its branch. Everything else can be read and
not changed: configuration, hooks, packs, other branches, tags, remotes, the stash, other worktrees. Of its own record
what leads git elsewhere cannot be changed either, since our own git, and the user's, follow it later.
"""

import os
from pathlib import Path

from msgspec import Struct

from app.git.own_files import read_note, write_note
from app.git.refusals import GitRefused
from app.processes.sandbox import Mount, readable, writable

#: Lock reasons of worktrees we made begin so; `git worktree list` shows them, and they keep prune away.
OURS = "agentpane:"
#: A file in git's record of a worktree: the branch for which we made it, whatever is checked out there by now.
_BRANCH_NOTE = "agentpane-branch"
#: Files in that record by which git finds its data and its configuration.
_LEADING = ("commondir", "gitdir", "locked", "config.worktree", _BRANCH_NOTE)


class Record(Struct, frozen=True):
    """Where git keeps what it knows of a worktree of ours."""

    worktree: Path
    #: The folder of this worktree inside of `common_dir`.
    folder: Path
    common_dir: Path

    @property
    def branch(self) -> str | None:
        """The branch for which it was made; None for a worktree of an older version of ours."""
        noted = read_note(self.folder / _BRANCH_NOTE)
        return os.fsdecode(noted).strip() if noted else None


def record_of(worktree: Path) -> Record | None:
    """The record of a worktree of ours (its top folder), or None where it is none."""
    link = read_note(worktree / ".git") or b""
    folder = Path(os.fsdecode(link.removeprefix(b"gitdir:")).strip())
    is_ours = (read_note(folder / "locked") or b"").startswith(OURS.encode())
    if not link.startswith(b"gitdir:") or not folder.is_absolute() or not is_ours:
        return None
    if folder.parent.name != "worktrees" or not _leads_back(folder, worktree):
        return None
    return Record(worktree, folder, folder.parent.parent)


def note_branch(record: Record, branch: str) -> None:
    """Remember for which branch the worktree was made."""
    write_note(record.folder / _BRANCH_NOTE, os.fsencode(branch) + b"\n")


def mounts_of(record: Record, branch: str) -> tuple[Mount, ...]:
    """What a program in the worktree sees of it, and of the repository, when `branch` is its own."""
    common, own = record.common_dir, record.folder
    objects = common / "objects"
    _prepare(record, branch)
    return (
        *writable(record.worktree),
        *readable(record.worktree / ".git", common),
        *writable(objects, common / "lfs", own),
        *readable(objects / "pack", objects / "info", *(own / name for name in _LEADING)),
        *readable(*_borrowed_from(objects)),
        *writable(*_refs(common, branch)),
    )


def log_folders(record: Record, branch: str) -> tuple[Path, ...]:
    """Where git logs what happens to `branch`: nothing that an agent puts there may lead our git elsewhere."""
    common = record.common_dir
    return tuple(common / "logs" / folder.relative_to(common) for folder in _refs(common, branch))


def require_record(worktree: Path) -> Record:
    """As `record_of`; `GitRefused` `not_ours` instead of None."""
    record = record_of(worktree)
    if record is None:
        raise GitRefused("not_ours", f"{worktree} is no worktree of ours any more: its .git file leads elsewhere.")
    return record


def _leads_back(folder: Path, worktree: Path) -> bool:
    back = Path(os.fsdecode(read_note(folder / "gitdir") or b"").strip())
    return back.name == ".git" and back.parent in (worktree, worktree.resolve())


def _refs(common: Path, branch: str) -> tuple[Path, ...]:
    """The folder of the branch, unless it lies beside all others: then nothing."""
    heads = common / "refs" / "heads"
    folder = (heads / branch).parent
    return (folder,) if folder != heads and folder.is_relative_to(heads) else ()


def _borrowed_from(objects: Path) -> list[Path]:
    """Folders of other repositories from which this one has objects."""
    lines = os.fsdecode(read_note(objects / "info" / "alternates") or b"").splitlines()
    return [(objects / line).resolve() for line in lines if line and not line.startswith("#")]


def _prepare(record: Record, branch: str) -> None:
    """What is not there could be made by the program, in the place of what must not change."""
    objects = record.common_dir / "objects"
    for folder in (objects / "pack", objects / "info", *_refs(record.common_dir, branch), *log_folders(record, branch)):
        folder.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(record.folder / "config.worktree"):
        write_note(record.folder / "config.worktree", b"")
