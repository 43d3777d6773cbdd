"""What the page about pruning shows: what would go, and after a prune what went and which branches are kept."""

from collections.abc import Collection
from urllib.parse import urlencode

from app.postgres.reading import rows
from app.projects.rows import ProjectRow
from app.worktrees.comparing import commits_against_base
from app.worktrees.pruning import Pruned, candidates
from app.worktrees.rows import SELECT_WORKTREE, WorktreeRow
from app.worktrees.views import KeptBranch, PrunePage

CHANGED = "It is not as it was shown any more, so it stayed. Look at it again."


async def prune_page(project: ProjectRow, gone: Collection[str], stayed: Collection[str]) -> PrunePage:
    """`gone` and `stayed` are ids of a prune that was just done."""
    found = await candidates(project)
    return PrunePage(
        project_id=project.id,
        stale_after_days=project.config.stale_after_days,
        going=tuple(each for each in found if not each.kept_because),
        kept=tuple(each for each in found if each.kept_because),
        gone=await _branches(project, gone, is_gone=True),
        stayed=await _branches(project, stayed, is_gone=False),
    )


def result_address(project: ProjectRow, pruned: Pruned) -> str:
    """Where the result of a prune is told."""
    ids = urlencode({"gone": ",".join(pruned.gone), "stayed": ",".join(pruned.stayed)}, safe=",")
    return f"/projects/{project.id}/worktrees/prune?{ids}"


async def _branches(project: ProjectRow, ids: Collection[str], *, is_gone: bool) -> tuple[KeptBranch, ...]:
    found = await rows(
        WorktreeRow,
        f"{SELECT_WORKTREE} WHERE project_id = $1 AND id = ANY($2) AND (status = 'removed') = $3 ORDER BY branch",
        project.id,
        list(ids),
        is_gone,
    )
    counts = await commits_against_base(project, [(each.branch, each.base_branch) for each in found])
    return tuple(
        KeptBranch(
            branch=each.branch,
            base_branch=each.base_branch,
            ahead=count[0] if count else None,
            why=each.last_error or CHANGED,
        )
        for each, count in zip(found, counts, strict=True)
    )
