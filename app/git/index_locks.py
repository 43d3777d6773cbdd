"""git's own lock on an index, held by us: while it is there, every other git leaves index and commits alone."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from app.git.refusals import GitRefused

OWN_INDEX = "index.agentpane"
_MARK = b"agentpane\n"


@contextlib.contextmanager
def index_locked(git_dir: Path) -> Iterator[int]:
    """Hold `index.lock` of one working copy; raises `GitRefused` `busy` when it is held, and never breaks it.

    The descriptor yielded carries a lock of the operating system as long as we, or a git that inherited it, live:
    by that, `inherit_index_lock` tells a crash from work that still goes on.
    """
    lock = git_dir / "index.lock"
    try:
        held = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    except FileExistsError as exists:
        raise _busy(lock) from exists
    yield from _held(lock, held)


@contextlib.contextmanager
def inherit_index_lock(git_dir: Path) -> Iterator[int]:
    """As `index_locked`, also taking over a lock that we left behind in a crash. Others' locks are `busy`."""
    lock = git_dir / "index.lock"
    try:
        held = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        held = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    else:
        if os.read(held, 64) != _MARK:
            os.close(held)
            raise _busy(lock)
    yield from _held(lock, held)


@contextlib.contextmanager
def own_index(git_dir: Path) -> Iterator[Path]:
    """Where an index of ours may lie, beside git's own so that it can take its place in one step. The caller holds
    the lock: what a crash of ours left there is removed first, and nothing is left afterwards."""
    _remove_own(git_dir)
    try:
        yield git_dir / OWN_INDEX
    finally:
        _remove_own(git_dir)


def _remove_own(git_dir: Path) -> None:
    for end in ("", ".lock", "-old"):
        (git_dir / f"{OWN_INDEX}{end}").unlink(missing_ok=True)


def _held(lock: Path, held: int) -> Iterator[int]:
    try:
        _take(lock, held)
        os.pwrite(held, _MARK, 0)
        try:
            yield held
        finally:
            lock.unlink(missing_ok=True)
    finally:
        os.close(held)


def _take(lock: Path, held: int) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as alive:
        raise _busy(lock) from alive
    if not lock.exists() or not os.path.samestat(lock.stat(), os.fstat(held)):
        raise _busy(lock)


def _busy(lock: Path) -> GitRefused:
    return GitRefused("busy", f"Another git is at work: {lock} is there. Try again when it has ended.", [str(lock)])
