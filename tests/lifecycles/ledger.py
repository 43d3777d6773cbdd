"""Knows every text and commit that a user or an agent made, and finds each of them again, on disk or in git."""

import hashlib
import os
import subprocess
from pathlib import Path

from msgspec import Struct

from tests.git.repositories import USER_ENVIRONMENT


class Piece(Struct, frozen=True):
    """One text, unique in its life, and where it was written."""

    text: bytes
    path: Path
    who: str

    @property
    def oid(self) -> str:
        """What git calls it."""
        return hashlib.sha1(b"blob %d\0%s" % (len(self.text), self.text)).hexdigest()

    def __str__(self) -> str:
        return f"{self.text.decode().splitlines()[0]!r}, which {self.who} wrote to {self.path}"


class Ledger:
    """The books of one repository."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pieces: dict[str, Piece] = {}
        self._commits: dict[str, str] = {}
        #: What the user's own working copy has that no commit has: path and content, HEAD, stash.
        self._own: dict[str, bytes | None] = {}
        self._is_settled = False

    def wrote(self, path: Path, text: bytes, who: str) -> None:
        """Somebody wrote `text` to `path`."""
        piece = Piece(text, path, who)
        self._pieces[piece.oid] = piece

    def committed(self, oid: str, who: str) -> None:
        """Somebody made a commit."""
        self._commits[oid] = who

    def doubt(self) -> None:
        """From now on somebody else than an author may have moved something."""
        self._is_settled = False

    def lost(self) -> list[str]:
        """What cannot be found any more, each with its author."""
        if self._is_settled:
            return []
        reachable = self._reachable()
        pieces = [piece for oid, piece in self._pieces.items() if oid not in reachable and not self._is_on_disk(piece)]
        commits = [f"the commit {oid} of {who}" for oid, who in self._commits.items() if oid not in reachable]
        return [*map(str, pieces), *commits]

    def forget_what_is_gone(self) -> None:
        """Its author has just overwritten it, deleted it or thrown it away; nobody else has moved since."""
        # Its author had done away with what only a look of ours holds, or only the index of a worktree.
        kept = self._listed("--exclude=refs/agentpane/snapshots/*", "--all", *self._stashes())
        reachable = kept | self._listed("--single-worktree", "--indexed-objects")
        self._pieces = {o: p for o, p in self._pieces.items() if o in reachable or self._is_on_disk(p)}
        self._commits = {oid: who for oid, who in self._commits.items() if oid in reachable}
        self._own = self._look_at_own()
        self._is_settled = True

    def disturbed(self) -> list[str]:
        """What is not in the user's own working copy as they left it."""
        now = {name: self._read(name) for name in self._own}
        return [f"{name} is {now[name]!r} and was {was!r}" for name, was in self._own.items() if now[name] != was]

    def _look_at_own(self) -> dict[str, bytes | None]:
        listed = _git(self._root, "status", "--porcelain", "-z", "-uall", "--no-renames", "--ignore-submodules").split(
            b"\0"
        )
        changed = [os.fsdecode(row[3:]) for row in listed if row]
        return {name: self._read(name) for name in (*changed, ".git/HEAD", ".git/refs/stash")}

    def _read(self, name: str) -> bytes | None:
        path = self._root / name
        return path.read_bytes() if path.is_file() else None

    def _reachable(self) -> set[str]:
        return self._listed("--all", "--indexed-objects", *self._stashes())

    def _listed(self, *what: str) -> set[str]:
        return set(_git(self._root, "rev-list", "--objects", "--no-object-names", *what).decode().split())

    def _stashes(self) -> list[str]:
        log = self._root / ".git" / "logs" / "refs" / "stash"
        return [line.split()[1] for line in log.read_text().splitlines()] if log.exists() else []

    def _is_on_disk(self, piece: Piece) -> bool:
        if piece.path.is_file() and piece.path.read_bytes() == piece.text:
            return True
        files = (path for path in self._root.rglob("*") if path.is_file() and ".git" not in path.parts)
        return any(path.stat().st_size == len(piece.text) and path.read_bytes() == piece.text for path in files)


def _git(root: Path, *arguments: str) -> bytes:
    done = subprocess.run(
        ["git", "--no-optional-locks", *arguments], cwd=root, env=USER_ENVIRONMENT, capture_output=True, check=False
    )
    assert done.returncode == 0, f"git {arguments}: {done.stderr.decode(errors='replace')}"
    return done.stdout
