"""Follow a project whose folder was moved: its new path, and that of its worktrees inside it."""

from msgspec import Struct

from app.errors import Conflict, Invalid
from app.events.recording import Actor, record
from app.git.repository import Repository, branch_oid
from app.postgres.reading import execute, rows, scalar
from app.projects.creating import repository_at
from app.projects.locking import locked
from app.projects.rows import ProjectRow, get_project, project_at


class _Branch(Struct, frozen=True):
    branch: str


async def relocate(project: ProjectRow, path: str, actor: Actor) -> ProjectRow:
    """The project at `path`, where its repository is now. `VALIDATION_ERROR` beside `path` while it is still at its
    old one, and for another repository than the one that was moved.

    git is told of its worktrees one by one, on their page: each is compared with the folder that is there.
    """
    if project.root.is_dir():
        raise Invalid({"path": "There is still a folder at the path of this project, so it was not moved."})
    repository = await repository_at(path)
    new = str(repository.path)
    if await project_at(new) is not None:
        raise Invalid({"path": "This repository is registered already."})
    await _require_same(project, repository)
    async with locked(project.id):
        if await scalar("SELECT 1 FROM agent_runs WHERE project_id = $1 AND completed_at IS NULL", project.id):
            raise Conflict("Agents are running. Stop every agent first.", "PROJECT_HAS_RUNNING_AGENTS")
        await execute("UPDATE projects SET path = $2, updated_at = now() WHERE id = $1", project.id, new)
        await execute(
            "UPDATE worktrees SET path = $3 || substr(path, length($2) + 1)"
            " WHERE project_id = $1 AND status <> 'removed' AND starts_with(path, $2 || '/')",
            project.id,
            project.path,
            new,
        )
        await record(
            project.id, "project.moved", actor=actor, subject=project.id, payload={"from": project.path, "to": new}
        )
    return await get_project(project.id)


async def _require_same(project: ProjectRow, repository: Repository) -> None:
    """It has the base branch, and the branch of every worktree that was made."""
    made = await rows(
        _Branch,
        "SELECT branch FROM worktrees w WHERE project_id = $1 AND status <> 'removed' AND EXISTS (SELECT 1"
        " FROM worktree_steps s WHERE s.worktree_id = w.id AND s.name = 'add' AND s.status = 'done')",
        project.id,
    )
    for branch in [project.config.default_branch, *(row.branch for row in made)]:
        if await branch_oid(repository, branch) is None:
            raise Invalid({"path": f"This repository has no branch {branch}, so it is not the one that was moved."})
