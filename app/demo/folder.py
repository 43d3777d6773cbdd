"""The demo's data folder, with the mark by which it is known as one that may be deleted."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import Conflict
from app.postgres.cluster import Cluster

MARK = "made-by-agentpane-demo"
_WORDS = "This folder belongs to 'agentpane demo'; 'agentpane demo --fresh' deletes it and begins anew.\n"


def prepare(folder: Path, *, fresh: bool) -> Path:
    """The folder, with its mark. Raises `Conflict` for a folder that holds something else, or that is in use."""
    if is_demo(folder):
        if fresh:
            _delete(folder)
    elif folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} holds something that the demo did not make: give another --data-dir.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / MARK).write_text(_WORDS)
    return folder


def is_demo(folder: Path) -> bool:
    """Whether an earlier demo made it."""
    mark = folder / MARK
    return not folder.is_symlink() and mark.is_file() and not mark.is_symlink() and mark.read_text() == _WORDS


def _delete(folder: Path) -> None:
    with _not_in_use(folder):
        shutil.rmtree(folder)


@contextmanager
def _not_in_use(folder: Path) -> Iterator[None]:
    """Whoever serves the folder holds this lock as long as its database runs."""
    lock = Cluster(folder / "postgres").lock
    if not lock.exists():
        yield
        return
    with lock.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(f"The demo in {folder} is running: stop it first.") from None
        yield
