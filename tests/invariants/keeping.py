"""Nothing that a person or an agent made is lost: every commit and every file is still in the repository or on disk."""

import time
from hashlib import sha1
from pathlib import Path

from tests.git.repositories import user

#: Seconds in which git has added a worktree.
ADDED_S = 5.0


class Witness:
    """Notes what was made in one repository, and asks for it later."""

    def __init__(self, root: Path) -> None:
        self.root = root
        #: Commits by their tree, and files by the id of their content, each with what to call it.
        self.commits: dict[str, str] = {}
        self.files: dict[str, str] = {}

    def look(self) -> None:
        """Note every commit that a branch, a ref of ours, or a working copy has now."""
        for line in self._of_all("log", "--format=%H %T"):
            commit, tree = line.split()
            self.commits.setdefault(commit, tree)

    def wrote(self, content: bytes, what: str) -> None:
        """Somebody wrote a file with this content, which from now on has to be in a commit or on disk."""
        self.files[_blob(content)] = what

    def require_kept(self) -> None:
        """Every commit, or one with its tree, and every file is reachable from a ref; or the file is on disk."""
        objects = {line.split(" ", 1)[0] for line in self._of_all("rev-list", "--objects")}
        lost = [commit for commit, tree in self.commits.items() if commit not in objects and tree not in objects]
        assert not lost, f"commits are lost: {lost}"
        missing = {blob: what for blob, what in self.files.items() if blob not in objects}
        if missing:
            on_disk = _on_disk(self.root)
            missing = {blob: what for blob, what in missing.items() if blob not in on_disk}
        assert not missing, f"files are lost: {sorted(missing.values())}"

    def _of_all(self, *command: str) -> list[str]:
        """What git says of all refs. While a worktree is added its HEAD names nothing: it is asked again."""
        deadline = time.monotonic() + ADDED_S
        while True:
            try:
                return user(self.root, *command, "--all").splitlines()
            except AssertionError as refused:
                if "bad object worktrees/" not in str(refused) or time.monotonic() > deadline:
                    raise


def require_sound(root: Path) -> None:
    """git finds every object that anything refers to, and each is what its name says."""
    said = user(root, "fsck", "--full", "--no-dangling", "--no-progress")
    assert not said, f"git fsck of {root} says:\n{said}"


def _on_disk(root: Path) -> set[str]:
    found = set()
    for file in root.rglob("*"):
        if ".git" not in file.parts and file.is_file() and not file.is_symlink():
            found.add(_blob(file.read_bytes()))
    return found


def _blob(content: bytes) -> str:
    return sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
