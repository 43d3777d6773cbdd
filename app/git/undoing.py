"""Taking a merge back, and making its branch mergeable again, as commits that the base can advance to."""

from pathlib import Path

from app.git.commits import Identity, commit_tree
from app.git.refs import is_ancestor, require, tree_of
from app.git.refusals import GitRefused
from app.git.trial_merges import merged_tree, tree_on


async def revert_commit(
    cwd: Path,
    base: str,
    before: str,
    after: str,
    message: str,
    *,
    author: Identity,
    committer: Identity | None = None,
    sign: bool = False,
) -> str:
    """A commit on `base` that takes back everything between `before` and `after`; later work stays.

    `before` and `after` are where the base stood around the merge: this holds for all three methods.
    Raises `GitRefused`: `unknown_revision`, `moved` (`after` is not in `base` any more), `conflict` (later work
    builds on it), `nothing_to_merge` (it is taken back already), `signing_failed`.
    """
    for oid in (base, before, after):
        await require(cwd, oid)
    if not await is_ancestor(cwd, after, base):
        raise GitRefused("moved", "The merge is not in the base branch any more.")
    undone = await tree_on(cwd, await tree_of(cwd, before), [after])
    tree = await merged_tree(cwd, base, undone)
    if tree == await tree_of(cwd, base):
        raise GitRefused("nothing_to_merge", "The base branch holds nothing of this merge any more.")
    return await commit_tree(cwd, tree, [base], message, author, committer=committer, sign=sign)


async def revived_branch(
    cwd: Path, revert: str, tip: str, message: str, *, author: Identity, committer: Identity | None = None
) -> str:
    """A commit on the task branch `tip` whose merge brings all of the branch back after `revert`.

    Without it git takes the branch as merged and brings only what is new. Move the branch to it by
    compare-and-swap right after the undo. Raises `GitRefused` `unknown_revision`, `conflict`.
    """
    parent = await require(cwd, f"{revert}^")
    reapplied = await commit_tree(
        cwd, await tree_of(cwd, parent), [await require(cwd, revert)], message, author, committer=committer
    )
    tree = await merged_tree(cwd, reapplied, tip)
    return await commit_tree(cwd, tree, [tip, reapplied], message, author, committer=committer)
