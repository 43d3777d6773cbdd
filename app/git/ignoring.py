"""What git would say of files: ignored, or part of the repository."""

import os
from collections.abc import Sequence
from pathlib import Path

from app.git.refusals import GitError
from app.git.running import git


async def ignored(cwd: Path, paths: Sequence[str]) -> set[str]:
    """Those of `paths` (relative to `cwd`, existing or not) that no `git add` would take."""
    # This command refuses literal pathspecs; the dot keeps a name that begins with a colon from being magic.
    listed = os.fsencode("\0".join(f"./{path}" for path in paths))
    answer = await git(
        cwd, "check-ignore", "-z", "--stdin", input=listed, check=False, env={"GIT_LITERAL_PATHSPECS": "0"}
    )
    if answer.code > 1:
        raise GitError(["check-ignore"], answer.code, answer.err.decode(errors="replace"))
    return {field.removeprefix("./") for field in answer.fields}


async def tracked(cwd: Path, paths: Sequence[str]) -> set[str]:
    """Those of `paths` that are in the index."""
    if not paths:
        return set()
    return set((await git(cwd, "ls-files", "-z", "--", *paths)).fields)
