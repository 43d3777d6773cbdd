"""Every few seconds: what the database says of worktrees is compared with `git worktree list`.

A worktree that is not there, or that nobody makes any more, becomes `error` with what helps. Nothing is deleted, and
git is told nothing: its own prune would forget the worktrees of a folder that was only moved.
"""

import logging
import time

from app.postgres.reading import rows, scalar
from app.projects.locking import locked
from app.projects.rows import ProjectRow, all_projects
from app.worktrees.creating import MAKING
from app.worktrees.rows import SELECT_WORKTREE, WorktreeRow, get_worktree
from app.worktrees.states import change
from app.worktrees.surveying import Problem, Survey, sentence, survey

log = logging.getLogger(__name__)

#: Seconds between two looks at one repository.
EACH_S = 30.0


class WorktreeReconciler:
    """Compares in rounds. What is wrong must be wrong in two: between a folder and its row lies a moment."""

    def __init__(self) -> None:
        self._looked: dict[str, float] = {}
        self._wrong: dict[str, set[tuple[str, Problem]]] = {}
        self._told: dict[str, set[str]] = {}

    async def round(self) -> list[str]:
        """Look at the projects whose turn it is; returns the ids of the worktrees that became `error`."""
        changed: list[str] = []
        for project in await all_projects():
            if time.monotonic() - self._looked.get(project.id, -EACH_S) >= EACH_S:
                self._looked[project.id] = time.monotonic()
                changed += await self._look_at(project)
        return changed

    async def _look_at(self, project: ProjectRow) -> list[str]:
        found = await survey(project)
        self._tell(project, found)
        wrong = set(found.lost.items()) | await _left_half_made(project.id)
        twice = wrong & self._wrong.get(project.id, set())
        self._wrong[project.id] = wrong - twice
        return [id for id, problem in twice if await _write(id, problem)]

    def _tell(self, project: ProjectRow, found: Survey) -> None:
        """One line in the log for what is new since the last look."""
        told = {f"the worktree {stray.path} is marked as ours and in no row" for stray in found.strays}
        told |= {f"the worktree {id} is {problem}" for id, problem in found.lost.items()}
        told |= {f"the repository cannot be looked at: {found.error}"} if found.error else set()
        for line in sorted(told - self._told.get(project.id, set())):
            log.warning("project %s: %s", project.name, line)
        self._told[project.id] = told


async def _left_half_made(project_id: str) -> set[tuple[str, Problem]]:
    """Worktrees in `creating` that nobody is making."""
    making = await rows(WorktreeRow, f"{SELECT_WORKTREE} WHERE project_id = $1 AND status = 'creating'", project_id)
    return {(worktree.id, "cut_off") for worktree in making if not await is_at_work(worktree)}


async def is_at_work(worktree: WorktreeRow) -> bool:
    """Whether it is being made by this process, or an agent is at work in it."""
    return worktree.id in MAKING or bool(
        await scalar(
            "SELECT 1 FROM agents WHERE current_worktree_id = $1 AND status IN ('starting', 'running', 'paused')",
            worktree.id,
        )
    )


async def _write(worktree_id: str, problem: Problem) -> bool:
    worktree = await get_worktree(worktree_id)
    async with locked(worktree.project_id):
        worktree = await get_worktree(worktree_id)
        # A live run tells by its own end what is wrong.
        if worktree.status not in ("creating", "active") or await is_at_work(worktree):
            return False
        await change(worktree, "fail", error=sentence(problem, worktree.path))
    return True
