"""Small files beside git's own, in folders that an agent may write in: no link there leads us anywhere else."""

import contextlib
import os
import stat
from pathlib import Path

from app.git.refusals import GitRefused

#: git's notes are a line or two.
_MOST = 64 * 1024
_CHUNK = 1024 * 1024


def read_note(path: Path) -> bytes | None:
    """The content of a small plain file, or None where there is none: a link, a pipe or a large file is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        return os.read(descriptor, _MOST) if stat.S_ISREG(found.st_mode) and found.st_size <= _MOST else None
    finally:
        os.close(descriptor)


def write_note(path: Path, content: bytes) -> None:
    """Put a file there, in the place of whatever has that name."""
    new = path.with_name(f"{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    new.replace(path)


def copy_file(source: Path, target: Path) -> None:
    """Copy a plain file with its times to a name that is free.

    `GitRefused` `not_ours` for anything but a file, FileNotFoundError for nothing.
    """
    try:
        opened = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise GitRefused("not_ours", f"{source} cannot be read: {error.strerror}.", [str(source)]) from error
    found = os.fstat(opened)
    if not stat.S_ISREG(found.st_mode):
        os.close(opened)
        raise GitRefused("not_ours", f"{source} is not a file any more.", [str(source)])
    with os.fdopen(opened, "rb") as reader:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as writer:
            while chunk := reader.read(_CHUNK):
                writer.write(chunk)
        os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
