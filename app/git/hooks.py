"""The hooks that a repository's own git would run before it commits, and how they see a change that is committed
already."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from app.git.checkouts import git_dir_of
from app.git.own_files import copy_file
from app.git.running import git

#: In the order in which git runs them.
HOOKS = ("pre-commit", "pre-merge-commit", "commit-msg")


async def hooks_of(worktree: Path) -> dict[str, Path]:
    """The hooks that are there and executable: in `core.hooksPath`, else in the repository's `hooks` folder."""
    folder = await _hooks_folder(worktree)
    return {name: folder / name for name in HOOKS if (folder / name).is_file() and os.access(folder / name, os.X_OK)}


@asynccontextmanager
async def as_if_staged(worktree: Path, tree: str, onto: str) -> AsyncIterator[dict[str, str]]:
    """The variables under which git in `worktree`, whose files are as in `tree`, takes `tree` for what is staged on the
    commit `onto`. HEAD and index are of the check's own: whatever a hook does to them touches nothing else."""
    common = await git(worktree, "rev-parse", "--path-format=absolute", "--git-common-dir")
    with TemporaryDirectory(prefix="agentpane-check-") as name:
        folder = Path(name)
        (folder / "HEAD").write_text(f"{onto}\n")
        (folder / "commondir").write_bytes(os.fsencode(f"{common.text}\n"))
        # With its cache of file times, so that a hook does not have to read every file.
        copy_file(await git_dir_of(worktree) / "index", folder / "index")
        await git(worktree, "read-tree", "-m", tree, index=folder / "index")
        yield {
            "GIT_DIR": name,
            "GIT_WORK_TREE": str(worktree),
            "GIT_INDEX_FILE": str(folder / "index"),
            "GIT_EDITOR": ":",
        }


async def _hooks_folder(worktree: Path) -> Path:
    found = await git(
        worktree, "config", "--show-scope", "--type=path", "-z", "--get-all", "core.hooksPath", check=False
    )
    scoped = zip(found.fields[0::2], found.fields[1::2], strict=True)
    # The last one is our own, which keeps hooks out of everything else.
    chosen = [value for scope, value in scoped if scope != "command" and value]
    if chosen:
        return worktree / chosen[-1]
    common = await git(worktree, "rev-parse", "--path-format=absolute", "--git-common-dir")
    return Path(common.text) / "hooks"
