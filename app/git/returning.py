"""Brings a worktree back to its branch after an agent has left it for another, or for none."""

from pathlib import Path

from app.git.checkouts import git_dir_of, holders
from app.git.finishing import uninterrupted
from app.git.refs import current_branch, is_ancestor, move_ref, require
from app.git.refusals import GitRefused
from app.git.running import git


async def return_to_branch(worktree: Path, branch: str) -> bool:
    """Let `branch` (which exists) take over the commits at HEAD, and check it out; files and index stay as they are.

    Save first. False when it is checked out already. Raises `GitRefused`: `busy` (a rebase or bisect is half done),
    `checked_out` (in another copy), `not_a_fast_forward` (HEAD lacks commits of the branch: a person decides).
    """
    if await current_branch(worktree) == branch:
        return False
    await uninterrupted(_return(worktree, branch))
    return True


async def _return(worktree: Path, branch: str) -> None:
    await _require_finished(worktree)
    if elsewhere := [place for place in await holders(worktree, branch) if place.path != worktree.resolve()]:
        raise GitRefused("checked_out", f"{branch} is checked out in {elsewhere[0].path}.", [str(elsewhere[0].path)])
    ref = f"refs/heads/{branch}"
    tip, head = await require(worktree, ref), await require(worktree, "HEAD")
    if not await is_ancestor(worktree, tip, head):
        raise GitRefused("not_a_fast_forward", f"{worktree} has left {branch} behind; its commits are at {head}.")
    await move_ref(worktree, ref, head, tip, "agentpane: return")
    await git(worktree, "symbolic-ref", "-m", "agentpane: return", "HEAD", ref)


async def _require_finished(worktree: Path) -> None:
    git_dir = await git_dir_of(worktree)
    if unfinished := next((n for n in ("rebase-merge", "rebase-apply", "BISECT_LOG") if (git_dir / n).exists()), None):
        raise GitRefused("busy", f"{worktree} is in the middle of something ({unfinished}).")
