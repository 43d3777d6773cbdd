"""How many commits the branches of worktrees are ahead of their base, and behind."""

import asyncio
from collections.abc import Sequence

from app.git.refs import ahead_behind, resolve
from app.git.refusals import GitError
from app.projects.rows import ProjectRow

#: Branches that git counts at one time.
AT_ONCE = 8

Counts = tuple[int, int]


async def commits_against_base(project: ProjectRow, branches: Sequence[tuple[str, str]]) -> list[Counts | None]:
    """For each pair of a branch and its base: ahead and behind; None where one of them is not there any more."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def count(branch: str, base: str) -> Counts | None:
        async with turn:
            return await _count(project, branch, base)

    return await asyncio.gather(*(count(*pair) for pair in branches))


async def _count(project: ProjectRow, branch: str, base: str) -> Counts | None:
    try:
        head = await resolve(project.root, f"refs/heads/{branch}")
        onto = await resolve(project.root, f"refs/heads/{base}")
        return await ahead_behind(project.root, head, onto) if head and onto else None
    except (GitError, OSError):  # The page says by itself that the repository cannot be looked at.
        return None
