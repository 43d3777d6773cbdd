"""Finish removals that were cut off: by a crash at the next start, by a database that went away within seconds."""

import logging
from collections.abc import Iterable

from app.errors import Conflict
from app.git.refusals import GitError, GitRefused
from app.postgres.reading import rows
from app.worktrees.removing import TAKING_DOWN, take_down
from app.worktrees.rows import SELECT_WORKTREE, WorktreeRow

log = logging.getLogger(__name__)


class Removals:
    """Looks in rounds. Nobody must be at a removal in two of them: between its row and its work lies a moment."""

    def __init__(self) -> None:
        self._left: set[str] = set()

    async def round(self) -> list[str]:
        """Finish what is left half removed; returns the ids of those worktrees."""
        left = [worktree for worktree in await being_removed() if worktree.id not in TAKING_DOWN]
        cut_off = [worktree for worktree in left if worktree.id in self._left]
        self._left = {worktree.id for worktree in left}
        await finish_removals(cut_off)
        return [worktree.id for worktree in cut_off]


async def being_removed() -> list[WorktreeRow]:
    """Every worktree whose removal was begun and not ended."""
    return await rows(WorktreeRow, f"{SELECT_WORKTREE} WHERE status = 'removing' ORDER BY created_at")


async def finish_removals(worktrees: Iterable[WorktreeRow]) -> None:
    """Take them down. One that cannot be removed says why on its page."""
    for worktree in worktrees:
        try:
            await take_down(worktree)
        except (Conflict, GitRefused, GitError) as error:
            log.warning("the worktree %s could not be removed: %s", worktree.path, error)
