"""Remove worktrees that are stale: older than the project says, and needed by no task. Their branches stay.

What goes is shown first, and only what is still as it was shown goes.
"""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct

from app.clock import now
from app.errors import Conflict
from app.events.recording import Actor
from app.git.diffs import changed_files
from app.git.refs import ahead_behind, resolve, tree_of
from app.git.refusals import GitError, GitRefused
from app.git.repository import Repository, inspect
from app.git.snapshots import Snapshot, snapshot
from app.postgres.reading import rows
from app.projects.rows import ProjectRow
from app.worktrees.removing import remove_unused
from app.worktrees.rows import WorktreeRow, WorktreeStatus, get_worktree
from app.worktrees.using import LAST_USED_AT, NEEDED_BY


class Known(Struct, frozen=True, kw_only=True):
    """What the database knows of a worktree on disk."""

    id: str
    status: WorktreeStatus
    branch: str
    base_branch: str
    task_id: str | None
    task_title: str | None
    #: What works in it: "The task 'Count the spokes'".
    needed_by: str | None
    last_used_at: datetime
    #: Bytes as last measured.
    size: int | None


class Candidate(Struct, frozen=True, kw_only=True):
    """A worktree as it is now, and whether it would go: `kept_because` is empty then."""

    known: Known
    kept_because: str = ""
    #: Names exactly what was shown: the commit of the branch and the tree of the files.
    shown: str = ""
    #: Files that no commit has; they are committed first.
    uncommitted: int = 0
    #: Commits that the base has not; None where nobody can tell.
    ahead: int | None = None


class Pruned(Struct, frozen=True):
    """The ids of the worktrees that are gone, and of those that were chosen and stayed."""

    gone: tuple[str, ...] = ()
    stayed: tuple[str, ...] = ()


_SELECT = f"""
SELECT w.id, w.status, w.branch, w.base_branch, t.id AS task_id, t.title AS task_title, d.size,
  {NEEDED_BY} AS needed_by, {LAST_USED_AT} AS last_used_at
FROM worktrees w LEFT JOIN tasks t ON t.id = w.task_id LEFT JOIN worktree_details d ON d.worktree_id = w.id
WHERE w.project_id = $1 AND w.status <> 'removed' ORDER BY last_used_at, w.id
"""  # noqa: S608


async def candidates(project: ProjectRow) -> list[Candidate]:
    """Every worktree on disk, the one that was used longest ago first. Looks at each that may go as it is now."""
    found = await rows(Known, _SELECT, project.id)
    try:
        repository = await inspect(project.root)
    except (GitRefused, GitError) as error:
        return [_kept(row, f"The repository cannot be looked at: {error}") for row in found]
    return [await _candidate(row, project, repository) for row in found]


async def prune(project: ProjectRow, shown: Collection[str], actor: Actor) -> Pruned:
    """Remove those of the candidates that are still as `shown` says, after committing what lies in them."""
    wanted = {each.partition(":")[0]: each for each in shown}
    gone: list[str] = []
    for each in await candidates(project):
        if each.shown and wanted.get(each.known.id) == each.shown:
            try:
                await remove_unused(await get_worktree(each.known.id), actor)
            except Conflict:  # Its last error says why it stayed, and the page shows that.
                continue
            gone.append(each.known.id)
    return Pruned(tuple(gone), tuple(id for id in wanted if id not in gone))


async def _candidate(row: Known, project: ProjectRow, repository: Repository) -> Candidate:
    if why := _why_kept(row, project):
        return _kept(row, why)
    worktree = await get_worktree(row.id)
    try:
        return await _as_it_is(row, worktree, repository)
    except (GitRefused, GitError, OSError) as error:
        return _kept(row, f"It cannot be looked at: {error}")


def _why_kept(row: Known, project: ProjectRow) -> str:
    if row.needed_by is not None:
        return f"{row.needed_by} works in it."
    if row.status not in ("active", "error"):
        return f"It is {row.status} just now."
    if (now() - row.last_used_at).total_seconds() < project.config.stale_after_days * 86_400:
        return f"It was used less than {project.config.stale_after_days} days ago."
    return ""


async def _as_it_is(row: Known, worktree: WorktreeRow, repository: Repository) -> Candidate:
    if not worktree.root.is_dir():
        tip = await resolve(repository.root, f"refs/heads/{row.branch}")
        return await _going(row, repository, tip, f"{tip or ''}:", 0)
    taken = await snapshot(worktree.root)
    if why := _why_unsafe(row, taken):
        return _kept(row, why)
    assert taken.head is not None, "a worktree of ours has a commit"
    changes = await changed_files(worktree.root, await tree_of(worktree.root, taken.head), taken.tree)
    return await _going(row, repository, taken.head, f"{taken.head}:{taken.tree}", len(changes))


def _why_unsafe(row: Known, taken: Snapshot) -> str:
    """What would be lost, or end on another branch than the one that is named."""
    if taken.branch != row.branch:
        return f"It has {taken.branch or 'no branch'} checked out."
    if left_out := (*taken.nested, *taken.too_large):
        return f"It holds what no commit would keep: {left_out[0]}"
    return ""


async def _going(row: Known, repository: Repository, tip: str | None, state: str, uncommitted: int) -> Candidate:
    base = await resolve(repository.root, f"refs/heads/{row.base_branch}")
    ahead = (await ahead_behind(repository.root, tip, base))[0] if tip and base else None
    return Candidate(known=row, shown=f"{row.id}:{state}", uncommitted=uncommitted, ahead=ahead)


def _kept(row: Known, why: str) -> Candidate:
    return Candidate(known=row, kept_because=why)
