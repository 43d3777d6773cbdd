"""Measure what the branch of a worktree holds against its base."""

from pathlib import Path

from msgspec import Struct

from app.git.diffs import changed_files
from app.git.refs import merge_base, resolve, tree_of
from app.worktrees.rows import WorktreeRow


class Work(Struct, frozen=True):
    """What a branch holds against its base."""

    summary: str = ""
    files: int = 0
    added: int = 0
    removed: int = 0


async def measure(worktree: WorktreeRow) -> Work:
    """Files and lines by which the branch differs from the commit where it left its base."""
    base = await base_of(worktree)
    head = await resolve(worktree.root, "HEAD")
    if base is None or head is None:
        return Work()
    changes = await changed_files(worktree.root, await tree_of(worktree.root, base), await tree_of(worktree.root, head))
    added, removed = sum(c.added or 0 for c in changes), sum(c.removed or 0 for c in changes)
    noun = "file" if len(changes) == 1 else "files"
    return Work(f"{len(changes)} {noun}, +{added} −{removed}", len(changes), added, removed)


async def base_of(worktree: WorktreeRow) -> str | None:
    """The commit where the branch left its base branch."""
    return await merge_base(Path(worktree.path), f"refs/heads/{worktree.base_branch}", "HEAD")
