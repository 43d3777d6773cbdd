"""Register a git repository of this machine as a project."""

from pathlib import Path

from asyncpg import UniqueViolationError

from app.errors import Conflict, Invalid
from app.events.recording import Actor, record
from app.git.refusals import GitRefused
from app.git.repository import Repository, branch_oid, default_branch, inspect
from app.ids import create_id
from app.projects.forms import NewProject
from app.projects.locking import locked
from app.projects.rows import ProjectConfig, ProjectRow, get_project, project_at
from app.projects.tables import Project


async def create_project(form: NewProject, actor: Actor) -> ProjectRow:
    """The new project. `VALIDATION_ERROR` beside the field that is wrong; `PROJECT_PATH_EXISTS` when the repository,
    also through a symbolic link, is registered already."""
    repository = await repository_at(form.path)
    path = str(repository.root / repository.prefix) if repository.prefix else str(repository.root)
    branch = await require_branch(repository, form.default_branch)
    if (existing := await project_at(path)) is not None:
        raise _taken(existing)
    project_id = create_id()
    try:
        await Project.insert(
            Project(
                id=project_id,
                name=form.name or Path(path).name[:100] or "repository",
                path=path,
                description=form.description,
                config=ProjectConfig(default_branch=branch).to_json(),
                max_concurrent_agents=form.max_concurrent_agents,
            )
        )
    except UniqueViolationError:
        raise _taken(await project_at(path)) from None
    async with locked(project_id):
        await record(project_id, "project.created", actor=actor, subject=project_id, payload={"path": path})
    return await get_project(project_id)


async def repository_at(path: str) -> Repository:
    """The repository at a path that a person typed. `VALIDATION_ERROR` beside `path` when it cannot be used."""
    if "\0" in path:
        raise Invalid({"path": "A path cannot contain a NUL character."})
    try:
        folder = Path(path).expanduser()
    except RuntimeError as error:
        raise Invalid({"path": "There is no such home folder on this machine."}) from error
    if not folder.is_absolute():
        raise Invalid({"path": "Give the absolute path of the repository, or one that begins with ~."})
    try:
        return await inspect(folder)
    except GitRefused as refusal:
        raise Invalid({"path": str(refusal)}) from refusal


async def require_branch(repository: Repository, name: str) -> str:
    """The base branch that was chosen, or the most likely one. `VALIDATION_ERROR` beside `default_branch`."""
    branch = name or repository.head_branch or await default_branch(repository) or ""
    if not branch or await branch_oid(repository, branch) is None:
        raise Invalid(
            {"default_branch": f"This repository has no branch '{branch}'." if branch else "Choose a branch."}
        )
    return branch


def _taken(existing: ProjectRow | None) -> Conflict:
    name = existing.name if existing else "another project"
    return Conflict(
        f"This repository is registered already, as {name}.",
        "PROJECT_PATH_EXISTS",
        project=existing.id if existing else None,
        fields={"path": f"This repository is registered already, as {name}."},
    )
