"""Merges made away from every working copy: found by `merge-tree`, written by `commit-tree`, on no branch yet."""

import hashlib
from pathlib import Path
from typing import Literal, get_args

from app.git.commits import Identity, commit_tree
from app.git.crediting import authors_of, credited
from app.git.rebasing import rebased
from app.git.refs import is_ancestor, require
from app.git.refusals import GitRefused
from app.git.trial_merges import Conflict, MergeResult, merge_tree, merged_tree

Method = Literal["merge", "squash", "rebase"]
METHODS: tuple[Method, ...] = get_args(Method)

__all__ = ["METHODS", "Conflict", "MergeResult", "Method", "approval_digest", "merge_commit", "merge_tree"]


async def merge_commit(
    cwd: Path,
    method: Method,
    base: str,
    head: str,
    message: str,
    *,
    author: Identity,
    committer: Identity | None = None,
    sign: bool = False,
) -> str:
    """The commit that brings `head` (an oid) onto `base` (an oid); `base` is always an ancestor of it.

    `merge` makes a merge commit, `squash` one plain commit that names the authors of those it melts as co-authors,
    `rebase` repeats each commit of `head` with its own author (`message` is not used). No hooks run, and it is signed
    only with `sign`. Raises `GitRefused`: `unknown_revision`, `nothing_to_merge`, `conflict` with the paths,
    `signing_failed`.
    """
    base, head = await require(cwd, base), await require(cwd, head)
    if await is_ancestor(cwd, head, base):
        raise GitRefused("nothing_to_merge", "Everything on the branch is in the base already.")
    if method == "rebase":
        return await rebased(cwd, base, head, committer or author, sign)
    tree = await merged_tree(cwd, base, head)
    parents = [base, head] if method == "merge" else [base]
    if method == "squash":
        message = credited(message, await authors_of(cwd, base, head), author)
    return await commit_tree(cwd, tree, parents, message, author, committer=committer, sign=sign)


def approval_digest(base: str, head: str, tree: str, merge_tree: str) -> str:
    """What an approval is bound to: base commit, head commit, tree of the worktree as shown, tree of the merge."""
    text = "\n".join(("agentpane approval 1", base, head, tree, merge_tree))
    return "sha256:" + hashlib.sha256(text.encode("ascii")).hexdigest()
