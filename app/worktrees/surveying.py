"""Compare the worktrees that the database knows with those that git knows, and change neither."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from app.git.checkouts import OURS, Checkout, absolute, checkouts
from app.git.refusals import GitError, GitRefused
from app.git.repository import inspect
from app.postgres.reading import rows
from app.projects.rows import ProjectRow
from app.worktrees.rows import SELECT_WORKTREE, WorktreeRow

#: What is not as the row says. `gone`: there is no folder. `moved`: folder and repository do not lead to each other, as
#: after one of them was moved. `unmarked`: somebody took our lock off. `unknown`: git does not know the folder.
#: `cut_off`: nobody is making it.
Problem = Literal["gone", "moved", "unmarked", "unknown", "cut_off"]

MARK = f"{OURS}worktree:"


class Stray(Struct, frozen=True, kw_only=True):
    """A worktree with our mark that no row of the database knows, as after a restored backup."""

    id: str
    path: str
    #: None when HEAD is detached.
    branch: str | None
    head: str
    is_missing: bool
    lock_reason: str


class Survey(Struct, frozen=True, kw_only=True):
    """What is not true of a project's worktrees, by their ids; `error` when the repository cannot be looked at."""

    lost: dict[str, Problem] = {}
    strays: tuple[Stray, ...] = ()
    error: str = ""


class _Id(Struct):
    id: str


async def survey(project: ProjectRow) -> Survey:
    """Look now: one call of git and two queries. Raises nothing for what git says."""
    try:
        places = await checkouts((await inspect(project.root)).root)
    except (GitRefused, GitError, OSError) as error:
        return Survey(error=str(error))
    on_disk = await _on_disk(project.id)
    problems = {worktree.id: _problem(worktree, places) for worktree in on_disk}
    return Survey(lost={id: found for id, found in problems.items() if found}, strays=await _strays(places))


def sentence(problem: Problem, path: str) -> str:
    """What is wrong, and what helps."""
    match problem:
        case "gone":
            return f"The folder {path} is gone. Make it again from its branch, or remove it."
        case "moved":
            return f"{path} or its repository was moved. Make it again, and git is told where both are."
        case "unmarked":
            return f"The lock that marks {path} as ours is off. Make it again, and it is locked again."
        case "unknown":
            return f"git does not know {path} any more. Move that folder away, then make it again."
        case "cut_off":
            return "Making it was cut off. Make it again, or remove it."


async def _on_disk(project_id: str) -> list[WorktreeRow]:
    """Those whose folder should be there: a step that never ran, or a removal, explains why one is not."""
    return await rows(
        WorktreeRow,
        f"{SELECT_WORKTREE} WHERE project_id = $1 AND status IN ('creating', 'active', 'error')"  # noqa: S608
        " AND EXISTS (SELECT 1 FROM worktree_steps s WHERE s.worktree_id = worktrees.id AND s.name = 'add'"
        " AND s.status = 'done')",
        project_id,
    )


def _problem(worktree: WorktreeRow, places: Sequence[Checkout]) -> Problem | None:
    path = absolute(worktree.root)
    here = next((place for place in places if place.path == path), None)
    if not worktree.root.is_dir():
        return "gone"
    if here is not None and not _leads_to_git(path):
        return "moved"
    if here is not None:
        return None if here.lock_reason == worktree.lock_reason else "unmarked"
    elsewhere = any(place.lock_reason == worktree.lock_reason and place.is_missing for place in places)
    return "moved" if elsewhere else "unknown"


def _leads_to_git(path: Path) -> bool:
    try:
        link = (path / ".git").read_text(errors="surrogateescape").removeprefix("gitdir:").strip()
    except OSError:
        return False
    return (path / link).is_dir()


async def _strays(places: Sequence[Checkout]) -> tuple[Stray, ...]:
    ours = [place for place in places if (place.lock_reason or "").startswith(MARK)]
    marked = {(place.lock_reason or "").removeprefix(MARK): place for place in ours}
    known = await rows(_Id, "SELECT id FROM worktrees WHERE id = ANY($1) AND status <> 'removed'", list(marked))
    for row in known:
        del marked[row.id]
    return tuple(
        Stray(
            id=id, path=str(place.path), branch=place.branch, head=place.head, is_missing=place.is_missing,
            lock_reason=place.lock_reason or "",
        )
        for id, place in marked.items()
    )  # fmt: skip
