"""A person's copy with main checked out, and finished work that main is about to advance to."""

import asyncio
from pathlib import Path

from app.git.advancing import advance
from app.git.repository import Repository, inspect
from tests.git.repositories import make_repository, user, write

OLD = {
    "a": "1\n2\n3\n4\n5\n6\n",
    "d": "goes away\n",
    "dir/e": "e\n",
    "other": "other\n",
    "becomes-folder": "file\n",
    "becomes-file/x": "x\n",
    ".gitignore": "*.ign\nignored/\n",
}
NEW = {
    "a": "1\n2\n3\n4\n5\n6 changed\n",
    "d": None,
    "dir/e": "e changed\n",
    "newf": "new\n",
    "x.ign": "tracked though ignored\n",
    "p.ign/q": "below an ignored name\n",
    "becomes-folder": None,
    "becomes-file/x": None,
    "ü/deep/é.txt": "née\n",
}


GONE = {path for path, content in NEW.items() if content is None}
ARRIVED = {path: str(content) for path, content in NEW.items() if content is not None}
ARRIVED |= {"becomes-folder/y": "y\n", "becomes-file": "now a file\n"}


class Journal:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.entries: list[tuple[object, ...]] = []

    async def open(self, checkout: Path, old: str, new: str) -> None:
        assert (await asyncio.to_thread(user, checkout, "rev-parse", "HEAD")) == old
        self.entries.append(("open", checkout, old, new))

    async def close(self) -> None:
        self.entries.append(("close",))


class Unchecked(Journal):
    """For checkouts that move at the same time."""

    async def open(self, checkout: Path, old: str, new: str) -> None:
        self.entries.append(("open", checkout, old, new))


class Bench:
    """A person's copy on main at `old`, and finished work at `new`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.old = user(root, "rev-parse", "main")
        self.new = user(root, "rev-parse", "agent/1/x")
        self.journal = Journal()

    async def advance(self) -> Path | None:
        return await advance(await self.repository(), "main", self.old, self.new, self.journal)

    async def repository(self) -> Repository:
        return await inspect(self.root)


def make_finished_work(root: Path) -> Path:
    """A repository on main at `OLD`, with the branch agent/1/x at `NEW`."""
    make_repository(root, OLD)
    user(root, "checkout", "-q", "-b", "agent/1/x")
    write(root, NEW)
    (root / "becomes-file").rmdir()
    write(root, {"becomes-folder/y": "y\n", "becomes-file": "now a file\n"})
    user(root, "add", "-A", "-f")
    user(root, "commit", "-q", "-m", "Task")
    user(root, "checkout", "-q", "main")
    return root
