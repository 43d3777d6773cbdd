"""How much room worktrees take on disk: measured now and then in a thread, kept with the moment it was measured."""

import asyncio
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from app.postgres.reading import execute, one

#: Minutes after which a worktree is measured again.
AFTER_MIN = 15
#: Seconds and entries after which measuring stops: what was counted by then is told as 'more than'.
MOST_S = 20.0
MOST_ENTRIES = 1_000_000
#: Bytes of a block as `stat` counts them, on every system.
_BLOCK = 512


class Size(Struct, frozen=True):
    """Bytes on disk; `is_larger` when measuring stopped at its bound."""

    count: int
    is_larger: bool = False


class _Next(Struct, frozen=True):
    id: str
    path: str


async def measure_next() -> str | None:
    """Measure the worktree whose size is the oldest; its id, or None when all are fresh. The loop goes on meanwhile."""
    found = await one(
        _Next,
        "SELECT w.id, w.path FROM worktrees w LEFT JOIN worktree_details d ON d.worktree_id = w.id"
        " WHERE w.status IN ('active', 'error')"
        " AND (d.measured_at IS NULL OR d.measured_at < now() - make_interval(mins => $1))"
        " ORDER BY d.measured_at NULLS FIRST LIMIT 1",
        AFTER_MIN,
    )
    if found is None:
        return None
    await _write(found.id, await _size_of(Path(found.path)))
    return found.id


async def _size_of(folder: Path) -> Size:
    over = threading.Event()
    try:
        return await asyncio.to_thread(disk_size, folder, over)
    finally:
        # A server that stops would else wait for the thread.
        over.set()


async def _write(worktree_id: str, size: Size) -> None:
    await execute(
        "INSERT INTO worktree_details (worktree_id, size, is_larger, measured_at) VALUES ($1, $2, $3, now())"
        " ON CONFLICT (worktree_id) DO UPDATE SET size = $2, is_larger = $3, measured_at = now()",
        worktree_id,
        size.count,
        size.is_larger,
    )


def disk_size(
    folder: Path, over: threading.Event | None = None, most_s: float = MOST_S, most_entries: int = MOST_ENTRIES
) -> Size:
    """The room that `folder` takes; 0 for one that is gone. It stops at its bounds, and when `over` is set."""
    ends = time.monotonic() + most_s
    total = 0
    for count, room in enumerate(_rooms(folder), 1):
        total += room
        if count >= most_entries or time.monotonic() > ends or (over is not None and over.is_set()):
            return Size(total, is_larger=True)
    return Size(total)


def _rooms(folder: Path) -> Iterator[int]:
    """Bytes of each entry below `folder`. A link counts as itself, a file with several names once, and what lies on
    another file system not at all."""
    try:
        device = folder.lstat().st_dev
    except OSError:
        return
    seen: set[int] = set()
    folders = [str(folder)]
    while folders:
        for entry in _entries(folders.pop()):
            try:
                found = entry.stat(follow_symlinks=False)
            except OSError:  # An agent at work deletes files while they are counted.
                continue
            if found.st_dev != device or found.st_ino in seen:
                continue
            if stat.S_ISDIR(found.st_mode):
                folders.append(entry.path)
            elif found.st_nlink > 1:
                seen.add(found.st_ino)
            yield found.st_blocks * _BLOCK


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []
