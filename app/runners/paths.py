"""Paths against the globs of rules: relative to the worktree, after symbolic links and `..` are resolved."""

import os
import re
from functools import lru_cache
from pathlib import Path


def could_be_path(pattern: str, named: str, worktree: Path, *, surely: bool = False) -> bool:
    """Whether what a call names is what `pattern` means, as it is spelled or where it leads; `surely`: where it leads.

    A pattern without a slash is a name at any depth, as in `.gitignore`; with `/` or `~` before it, it is absolute.
    """
    glob = _compiled(_absolute(pattern, worktree), surely)
    leads = os.path.realpath(worktree / Path(named).expanduser())
    if surely:
        return bool(glob.fullmatch(leads))
    spelled = os.path.normpath(worktree / Path(named).expanduser())
    return any(glob.fullmatch(each) for each in (leads, spelled))


def _absolute(pattern: str, worktree: Path) -> str:
    pattern = str(Path(pattern).expanduser()) if pattern.startswith("~") else pattern.removeprefix("./")
    if pattern.startswith("/"):
        return f"/{pattern.lstrip('/')}"
    depth = "" if "/" in pattern.rstrip("/") else "**/"
    return f"{os.path.realpath(worktree)}/\0{depth}{pattern}"


@lru_cache(1024)
def _compiled(pattern: str, surely: bool) -> re.Pattern[str]:
    """The folder of the worktree stands before `\\0`, and is no pattern."""
    folder, _, glob = pattern.rpartition("\0")
    glob = glob.rstrip("/").removesuffix("/**")
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    meanings = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(meanings.get(part, re.escape(part)) for part in parts)
    flags = re.DOTALL if surely else re.DOTALL | re.IGNORECASE  # Some file systems do not tell `.ENV` from `.env`.
    return re.compile(f"{re.escape(folder)}{body}(?:/.*)?", flags)
