"""Commits made by plumbing: explicit identity, no hooks, no editor, nothing taken from the environment."""

import re
from pathlib import Path

from msgspec import Struct

from app.git.environment import signing_environment
from app.git.running import git


class Identity(Struct, frozen=True):
    """Who wrote or made a commit. `date` is git's raw form (`1700000000 +0100`); empty means now."""

    name: str
    email: str
    date: str = ""

    def environment(self, role: str) -> dict[str, str]:
        """The three variables for `role`, `AUTHOR` or `COMMITTER`."""
        name = _without_marks(self.name) or _without_marks(self.email.partition("@")[0]) or "unknown"
        email = _without_marks(self.email) or "unknown@localhost"
        date = {f"GIT_{role}_DATE": f"@{self.date}"} if self.date else {}
        return {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email, **date}


async def commit_tree(
    cwd: Path,
    tree: str,
    parents: list[str],
    message: str,
    author: Identity,
    *,
    committer: Identity | None = None,
    sign: bool = False,
) -> str:
    """Write a commit object and return its oid; no ref moves. `sign` uses the repository's own signing key."""
    flags = [flag for parent in parents for flag in ("-p", parent)]
    answer = await git(
        cwd,
        "commit-tree",
        *(["-S"] if sign else []),
        *flags,
        "-F",
        "-",
        tree,
        input=_as_message(message),
        env={
            **(signing_environment() if sign else {}),
            **author.environment("AUTHOR"),
            **(committer or author).environment("COMMITTER"),
        },
    )
    return answer.text


def _as_message(text: str) -> bytes:
    return (text.strip("\n") + "\n").replace("\0", "").encode(errors="replace")


def _without_marks(text: str) -> str:
    """What git drops from a name or address itself; empty ones make it refuse."""
    return re.sub(r"[<>\x00-\x1f]", "", text).strip(" .,:;\"'\\")
