"""Change a project's settings, or take the project off the board. The repository itself is never touched."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from app.clock import now
from app.errors import Conflict, Invalid
from app.events.recording import Actor, record
from app.git.refusals import GitRefused
from app.git.repository import check_branch_name
from app.postgres.reading import scalar
from app.projects.creating import repository_at, require_branch
from app.projects.forms import Deletion, ProjectSettings
from app.projects.locking import locked
from app.projects.machine_paths import machine_paths
from app.projects.rows import ProjectConfig, ProjectRow, get_project
from app.projects.tables import DEFAULT_MODEL, DEFAULT_TOOLS, Project
from app.web.formats import plural


async def edit_project(
    project_id: str, form: ProjectSettings, actor: Actor, data_dir: Path | None = None
) -> ProjectRow:
    """Write the settings; what is running keeps what it was started with. `VALIDATION_ERROR` beside a wrong field.

    `data_dir` is our own folder, which no setting opens to agents.
    """
    project = await get_project(project_id)
    config = msgspec.structs.replace(await _config(project, form), **_confinement(form, data_dir))
    async with locked(project_id):
        kept = (await get_project(project_id)).config
        config = msgspec.structs.replace(config, trust_repository=kept.trust_repository, prompts=kept.prompts)
        await Project.update(
            {
                Project.name: form.name,
                Project.description: form.description,
                Project.max_concurrent_agents: form.max_concurrent_agents,
                Project.config: config.to_json(),
                Project.updated_at: now(),
            }
        ).where(Project.id == project_id)
        await record(project_id, "project.edited", actor=actor, subject=project_id, payload={"name": form.name})
    return await get_project(project_id)


async def change_config(
    project_id: str,
    change: Callable[[ProjectConfig], ProjectConfig],
    actor: Actor,
    told: Mapping[str, Any],
    **columns: Any,
) -> None:
    """Write what `change` makes of the configuration as it is by now, and `columns`; the event says `told`."""
    async with locked(project_id):
        project = await get_project(project_id)
        values: dict[Any, Any] = {getattr(Project, name): value for name, value in columns.items()}
        values |= {Project.config: change(project.config).to_json(), Project.updated_at: now()}
        await Project.update(values).where(Project.id == project_id)
        payload = {"name": project.name, **told}
        await record(project_id, "project.edited", actor=actor, subject=project_id, payload=payload)


async def delete_project(project_id: str, form: Deletion) -> ProjectRow:
    """Delete a project with its tasks and records; branches and commits stay in the repository.

    The typed name must be the project's. `PROJECT_HAS_RUNNING_AGENTS` while agents run or worktrees hold work.
    """
    project = await get_project(project_id)
    if form.confirm_name.strip() != project.name:
        raise Invalid({"confirm_name": f"Type {project.name} to delete the project."})
    async with locked(project_id):
        running = await scalar(
            "SELECT count(*) FROM agents WHERE project_id = $1 AND status IN ('starting', 'running', 'paused')",
            project_id,
        )
        if running:
            raise Conflict(
                f"{plural(running, 'agent is', 'agents are')} running. Stop every agent first.",
                "PROJECT_HAS_RUNNING_AGENTS",
            )
        kept = await scalar("SELECT count(*) FROM worktrees WHERE project_id = $1 AND status <> 'removed'", project_id)
        if kept:
            raise Conflict(
                f"{plural(kept, 'worktree holds', 'worktrees hold')} work. Cancel or approve each task first, so that"
                " nothing is lost.",
                "PROJECT_HAS_RUNNING_AGENTS",
            )
        await Project.delete().where(Project.id == project_id)
    return project


async def _config(project: ProjectRow, form: ProjectSettings) -> ProjectConfig:
    repository = await repository_at(project.path)
    return msgspec.structs.replace(
        project.config,
        default_branch=await require_branch(repository, form.default_branch or project.config.default_branch),
        worktree_root=_worktree_root(form.worktree_root, project.root),
        branch_template=await _branch_template(form.branch_template),
        stale_after_days=form.stale_after_days,
        audit_days=form.audit_days,
        env_file=_patterns(form.env_file),
        init_script=_relative(form.init_script, "init_script"),
        init_timeout=form.init_timeout,
        install_command=_split(form.install_command, "install_command"),
        install_timeout=form.install_timeout,
        run_hooks=form.run_hooks,
        check_command=_split(form.check_command, "check_command"),
        permissions=form.rules(),
        allowed_tools=tuple(dict.fromkeys(form.allowed_tools)) or tuple(DEFAULT_TOOLS),
        max_turns=form.max_turns,
        timeout_minutes=form.timeout_minutes,
        idle_timeout_minutes=form.idle_timeout_minutes,
        model=form.model or DEFAULT_MODEL,
    )


def _confinement(form: ProjectSettings, data_dir: Path | None) -> dict[str, Any]:
    return {
        "sandbox": form.sandbox,
        "sandbox_readable": machine_paths(form.sandbox_readable, "sandbox_readable", data_dir),
        "sandbox_writable": machine_paths(form.sandbox_writable, "sandbox_writable", data_dir),
        "memory_limit_mb": form.memory_limit_mb,
        "process_limit": form.process_limit,
        "file_limit_mb": form.file_limit_mb,
    }


def _worktree_root(text: str, project: Path) -> str:
    root = text.strip() or ".worktrees"
    try:
        folder = (project / Path(root).expanduser()).resolve()
    except RuntimeError as error:
        raise Invalid({"worktree_root": "There is no such home folder on this machine."}) from error
    if ".." in root.split("/") or project.resolve().is_relative_to(folder) or ".git" in folder.parts:
        raise Invalid({"worktree_root": "Choose a folder of its own, such as .worktrees."})
    return root


async def _branch_template(text: str) -> str:
    """Two tasks may have one title, so the id must be in it."""
    template = text or ProjectConfig().branch_template
    name = template.replace("{id}", "a1b2c3").replace("{slug}", "a-title")
    if "{id}" not in template or "{" in name or "}" in name:
        raise Invalid({"branch_template": "Write {id}, and {slug} for the title if you like, and no other braces."})
    try:
        await check_branch_name(name)
    except GitRefused as refusal:
        raise Invalid({"branch_template": str(refusal)}) from refusal
    return template


def _relative(text: str | None, field: str) -> str | None:
    if not text:
        return None
    if text.startswith(("/", "~")) or ".." in text.split("/"):
        raise Invalid({field: "Give a path inside the repository."})
    return text


def _patterns(text: str | None) -> str | None:
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    return ", ".join(str(_relative(part, "env_file")) for part in parts) or None


def _split(text: str | None, field: str) -> tuple[str, ...] | None:
    if not text:
        return None
    try:
        return tuple(shlex.split(text)) or None
    except ValueError as error:
        raise Invalid({field: f"This line cannot be split into arguments: {error}."}) from error
