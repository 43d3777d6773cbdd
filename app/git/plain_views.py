"""Reads a repository's objects without its configuration and attributes.

A branch that brings `*.py binary` in its `.gitattributes`, or an agent that sets `diff.*` in the shared configuration,
would otherwise decide what a reviewer gets to see.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from app.git.refusals import GitError
from app.git.running import git

T = TypeVar("T")


async def plainly(cwd: Path, read: Callable[[Path, Mapping[str, str]], Awaitable[T]]) -> T:
    """Call `read` with a folder and variables for git that show the objects of `cwd` and nothing else of it."""
    answer = await git(cwd, "rev-parse", "--path-format=absolute", "--git-path", "objects", "--show-object-format")
    objects, _, kind = os.fsdecode(answer.out).rstrip("\n").rpartition("\n")
    with TemporaryDirectory(prefix="agentpane-view-") as folder:
        _make_repository(Path(folder), kind)
        try:
            return await read(Path(folder), {"GIT_DIR": folder, "GIT_OBJECT_DIRECTORY": objects})
        except GitError:
            if not await _is_partial(cwd):
                raise
    # What a partial clone lacks it fetches, and only its own configuration says from where.
    return await read(cwd, {})


async def _is_partial(cwd: Path) -> bool:
    promises = await git(cwd, "config", "--get-regexp", r"^remote\..*\.promisor$", check=False)
    return promises.code == 0


def _make_repository(folder: Path, kind: str) -> None:
    """The least that git takes for a repository; `git init` would cost another process."""
    version, extension = ("0", "") if kind == "sha1" else ("1", f"[extensions]\n\tobjectFormat = {kind}\n")
    (folder / "refs").mkdir()
    (folder / "objects").mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
    (folder / "config").write_text(f"[core]\n\trepositoryFormatVersion = {version}\n\tbare = true\n{extension}")
