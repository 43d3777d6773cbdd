"""Commits made by plumbing: explicit identity, no hooks, no editor, nothing taken from the environment."""

import re
from pathlib import Path

from msgspec import Struct

from app.git.environment import signing_environment
from app.git.refusals import GitRefused
from app.git.running import MOST_SECONDS, git

#: A key that waits for its passphrase must not hold a merge for ever.
_SECONDS_TO_SIGN = 60.0


class Identity(Struct, frozen=True):
    """Who wrote or made a commit. `date` is git's raw form (`1700000000 +0100`); empty means now."""

    name: str
    email: str
    date: str = ""

    def environment(self, role: str) -> dict[str, str]:
        """The three variables for `role`, `AUTHOR` or `COMMITTER`."""
        name, email = self._cleaned()
        date = {f"GIT_{role}_DATE": f"@{self.date}"} if self.date else {}
        return {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email, **date}

    @property
    def shown(self) -> str:
        """As a trailer has it."""
        return "{} <{}>".format(*self._cleaned())

    def _cleaned(self) -> tuple[str, str]:
        name = _without_marks(self.name) or _without_marks(self.email.partition("@")[0]) or "unknown"
        return name, _without_marks(self.email) or "unknown@localhost"


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
    """Write a commit object and return its oid; no ref moves. `sign` uses the repository's own signing key, and raises
    `GitRefused` `signing_failed` where that does not work."""
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
        check=not sign,
        seconds=_SECONDS_TO_SIGN if sign else MOST_SECONDS,
    )
    if answer.code:
        said = answer.err.decode(errors="replace").strip()
        raise GitRefused(
            "signing_failed", f"This repository signs its commits, and git could not sign this one: {said}"
        )
    return answer.text


async def wants_signing(cwd: Path) -> bool:
    """Whether the repository's configuration asks for signed commits (`commit.gpgsign`)."""
    answer = await git(cwd, "config", "--show-scope", "--type=bool", "-z", "--get-all", "commit.gpgsign", check=False)
    # Our own switch on the command line, which turns it off for everything else, is the last of them.
    scoped = [
        value for scope, value in zip(answer.fields[0::2], answer.fields[1::2], strict=True) if scope != "command"
    ]
    return scoped[-1:] == ["true"]


def _as_message(text: str) -> bytes:
    return (text.strip("\n") + "\n").replace("\0", "").encode(errors="replace")


def _without_marks(text: str) -> str:
    """What git drops from a name or address itself; empty ones make it refuse."""
    return re.sub(r"[<>\x00-\x1f]", "", text).strip(" .,:;\"'\\")
