"""Brings the base into a task's branch, in its worktree: as a merge commit, or as a merge that waits to be resolved."""

from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from app.git.checkouts import git_dir_of
from app.git.commits import Identity
from app.git.finishing import uninterrupted
from app.git.obstacles import copy_index, require_base, require_clear_way
from app.git.refs import require, resolve
from app.git.refusals import GitError
from app.git.running import git
from app.git.snapshots import save
from app.git.trial_merges import MergeResult, merge_tree, tree_on


class Update(Struct, frozen=True):
    """What became of the merge."""

    #: The merge commit; None while conflicts wait in the worktree.
    commit: str | None
    #: What the trial merge said; the files are in the worktree, marks and all.
    trial: MergeResult


async def bring_in(worktree: Path, branch: str, other: str, message: str, author: Identity) -> Update:
    """Merge the commit `other` into `branch`, checked out at `worktree` with everything saved; no process works there.

    Raises `GitRefused` with nothing changed: `busy`, `moved`, `not_on_base`, `dirty` and `in_the_way` (with `paths`,
    ignored files too: git itself would overwrite these), `unknown_revision`.
    """
    head = await require(worktree, f"refs/heads/{branch}")
    trial = await merge_tree(worktree, head, await require(worktree, other))
    git_dir = await git_dir_of(worktree)
    goal = await tree_on(worktree, trial.marked_tree, [head])
    await require_base(worktree, git_dir, branch, head, goal)
    with TemporaryDirectory(prefix="agentpane-index-") as folder:
        copy_index(git_dir, Path(folder) / "index")
        await require_clear_way(worktree, Path(folder) / "index", head, goal)
    return Update(await uninterrupted(_merge(worktree, branch, other, message, author)), trial)


async def _merge(worktree: Path, branch: str, other: str, message: str, author: Identity) -> str | None:
    settings = ("merge.autoStash=false", "merge.verifySignatures=false", f"branch.{branch}.mergeOptions=")
    answer = await git(
        worktree,
        *(part for setting in settings for part in ("-c", setting)),
        "merge", "--quiet", "--no-ff", "--no-commit", "--no-stat", "-m", message, other,
        env={**author.environment("AUTHOR"), **author.environment("COMMITTER")},
        check=False,
    )  # fmt: skip
    if answer.code > 1:
        if await resolve(worktree, "MERGE_HEAD"):
            await git(worktree, "merge", "--abort")
        raise GitError(["merge", other], answer.code, answer.err.decode(errors="replace"))
    if (await git(worktree, "ls-files", "-u", "-z")).out:
        return None
    return (await save(worktree, message, author)).commit
