"""Bring a merge that was cut off to its end: in the base branch with all its files, or not at all."""

from pathlib import Path

from msgspec import Struct

from app.git.mending import mend
from app.git.refs import is_ancestor, resolve
from app.git.refusals import GitRefused
from app.git.repository import Repository
from app.postgres.reading import rows

#: The checkout was left for another branch or moved on: nothing of the merge is left to finish in it.
_GONE_ON = ("moved", "not_on_base")


class OpenMerge(Struct, frozen=True, kw_only=True):
    """A row of `merges` that nobody finished."""

    id: str
    kind: str
    project_id: str
    task_id: str | None
    digest: str
    method: str
    base_branch: str
    branch: str
    old_oid: str
    new_oid: str
    branch_oid: str | None
    reason: str | None
    checkout: str | None
    status: str
    merged_by: str


async def open_merges() -> list[OpenMerge]:
    """Every merge that was begun and not ended, oldest first."""
    return await rows(
        OpenMerge,
        "SELECT id, kind, project_id, task_id, digest, method, base_branch, branch, old_oid, new_oid, branch_oid,"
        " reason, checkout, status, merged_by FROM merges WHERE status IN ('prepared', 'advancing')"
        " ORDER BY created_at",
    )


async def settle(repository: Repository, merge: OpenMerge) -> bool:
    """Whether the merge is in its base branch now. Raises `GitRefused` and `GitError` when its checkout is half done
    and cannot be finished."""
    if merge.status == "advancing" and merge.checkout is not None:
        try:
            await mend(Path(merge.checkout), merge.base_branch, merge.old_oid, merge.new_oid)
        except GitRefused as refusal:
            if refusal.reason not in _GONE_ON:
                raise
    tip = await resolve(repository.root, f"refs/heads/{merge.base_branch}")
    return tip is not None and await is_ancestor(repository.root, merge.new_oid, tip)
