"""What lies in a commit: the entries of its tree, without any working copy."""

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from app.git.running import read_up_to

#: Modes of a link, and of another repository; what is neither these nor a folder is a file.
LINK, OTHER_REPOSITORY = "120000", "160000"


class TreeEntry(Struct, frozen=True):
    """A file, a link or another repository. `size` in bytes, None for what has none."""

    mode: str
    oid: str
    size: int | None
    path: str


async def entries(cwd: Path, commit: str, *paths: str, limit: int) -> tuple[list[TreeEntry], bool]:
    """Everything at and below `paths`, in the order of git, and whether more than `limit` bytes of it were left out."""
    args = ("ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--")
    listed, more = await read_up_to(limit, cwd, *args, *(os.fsencode(path) for path in paths))
    return list(_parsed(listed)), more


def _parsed(listed: bytes) -> Iterator[TreeEntry]:
    for line in listed.split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        mode, _, oid, size = head.decode().split()
        yield TreeEntry(mode, oid, None if size == "-" else int(size), os.fsdecode(path))
