"""Who wrote the commits that a squash melts into one: their names stay, as trailers of its message."""

import re
from pathlib import Path

from app.git.commits import Identity
from app.git.running import git

#: More authors than this are not named.
_MOST = 50


async def authors_of(cwd: Path, base: str, head: str) -> list[Identity]:
    """The authors of the commits of `head` beyond `base` (oids), each once, in order. Merges count for nobody."""
    beyond = (
        "--reverse",
        "--no-merges",
        "--no-mailmap",
        "--no-show-signature",
        "--format=%an%x00%ae",
        head,
        f"^{base}",
    )
    listed = await git(cwd, "-c", "i18n.logOutputEncoding=UTF-8", "log", *beyond, "--")
    rows = (line.split("\0") for line in listed.out.decode(errors="replace").splitlines())
    return [Identity(name, email) for name, email in dict.fromkeys(map(tuple, rows))][:_MOST]


def credited(message: str, authors: list[Identity], author: Identity) -> str:
    """`message` with a `Co-authored-by` line for each of `authors` but `author`, unless it has it."""
    lines = [f"Co-authored-by: {each.shown}" for each in authors if each.email.casefold() != author.email.casefold()]
    missing = [line for line in lines if line.casefold() not in message.casefold()]
    if not missing:
        return message
    text = message.rstrip()
    gap = "\n" if re.fullmatch(r"(\S+: .*\n?)+", text.rpartition("\n\n")[2]) and "\n\n" in text else "\n\n"
    return text + gap + "\n".join(missing)
