"""What the settings page shows."""

import shlex

from app.errors import Invalid
from app.postgres.reading import scalar
from app.processes.sandbox import available
from app.projects.creating import repository_at
from app.projects.rows import ProjectRow
from app.projects.views import ProjectSettings
from app.settings import SandboxMode


async def settings_of(project: ProjectRow, server_sandbox: SandboxMode, **answer: object) -> ProjectSettings:
    """The settings as they are stored; `answer` is what a form came back with."""
    config = project.config
    return ProjectSettings(
        id=project.id,
        name=project.name,
        path=project.path,
        description=project.description or "",
        default_branch=config.default_branch,
        worktree_root=config.worktree_root,
        env_file=config.env_file or "",
        init_script=config.init_script or "",
        install_command=shlex.join(config.install_command or ()),
        install_timeout=config.install_timeout,
        run_hooks=config.run_hooks,
        check_command=shlex.join(config.check_command or ()),
        init_timeout=config.init_timeout,
        branch_template=config.branch_template,
        stale_after_days=config.stale_after_days,
        allowed_tools=config.allowed_tools,
        permissions=config.permissions,
        max_turns=config.max_turns,
        timeout_minutes=config.timeout_minutes,
        idle_timeout_minutes=config.idle_timeout_minutes,
        model=config.model,
        max_concurrent_agents=project.max_concurrent_agents,
        sandbox=config.sandbox,
        server_sandbox=server_sandbox,
        no_sandbox=available().why_not,
        sandbox_readable="\n".join(config.sandbox_readable),
        sandbox_writable="\n".join(config.sandbox_writable),
        memory_limit_mb=config.memory_limit_mb,
        process_limit=config.process_limit,
        file_limit_mb=config.file_limit_mb,
        path_problem=await _path_problem(project),
        is_gone=not project.root.is_dir(),
        running_agents=await _running_agents(project.id),
        **answer,  # type: ignore[arg-type]
    )


async def _path_problem(project: ProjectRow) -> str:
    try:
        await repository_at(project.path)
    except Invalid as wrong:
        return wrong.message
    return ""


async def _running_agents(project_id: str) -> int:
    return int(
        await scalar(
            "SELECT count(*) FROM agents WHERE project_id = $1 AND status IN ('starting', 'running', 'paused')",
            project_id,
        )
    )
