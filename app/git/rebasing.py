"""A rebase without a working copy: each commit is merged onto the new base by itself, with its author kept."""

from pathlib import Path

from app.git.commits import Identity, commit_tree
from app.git.refs import is_ancestor, tree_of
from app.git.running import git
from app.git.trial_merges import merged_tree, tree_on


async def rebased(cwd: Path, base: str, head: str, committer: Identity, sign: bool = False) -> str:
    """The last of the repeated commits. Merges are dropped, and so are commits that change nothing any more.

    Raises `GitRefused` `conflict` at the first commit that does not apply.
    """
    picks = await _only_in(cwd, base, head)
    if not sign and await is_ancestor(cwd, base, head) and not await _has_merges(cwd, base, head):
        return head
    tip = base
    for pick in picks:
        tip = await _repeat(cwd, pick, tip, committer, sign)
    return tip


async def _only_in(cwd: Path, base: str, head: str) -> list[str]:
    listed = await git(cwd, "rev-list", "--reverse", "--topo-order", "--no-merges", head, f"^{base}", "--")
    return listed.text.split()


async def _has_merges(cwd: Path, base: str, head: str) -> bool:
    return bool((await git(cwd, "rev-list", "--merges", "--max-count=1", head, f"^{base}", "--")).text)


async def _repeat(cwd: Path, pick: str, onto: str, committer: Identity, sign: bool) -> str:
    author, message, parents = await _about(cwd, pick)
    before = await tree_of(cwd, onto)
    # As if the pick's parent had been the new base: the merge then brings just what the pick changed.
    tree = await merged_tree(cwd, await tree_on(cwd, before, parents[:1]), pick)
    return (
        onto
        if tree == before
        else await commit_tree(cwd, tree, [onto], message, author, committer=committer, sign=sign)
    )


async def _about(cwd: Path, commit: str) -> tuple[Identity, str, list[str]]:
    shown = await git(
        cwd,
        "-c",
        "i18n.logOutputEncoding=UTF-8",
        "log",
        "-1",
        "--no-show-signature",
        "--no-mailmap",
        "--date=raw",
        "--format=%an%x00%ae%x00%ad%x00%P%x00%B",
        commit,
        "--",
    )
    name, email, date, parents, message = shown.out.decode(errors="replace").split("\0", 4)
    return Identity(name, email, date), message, parents.split()
