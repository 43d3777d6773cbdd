"""A project as the other domains read it."""

from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from app.errors import InvalidId, NotFound
from app.ids import is_id
from app.postgres.reading import one, rows
from app.projects.tables import DEFAULT_MODEL, DEFAULT_TOOLS
from app.runners.rules import Rules
from app.settings import SandboxMode


class Prompts(Struct, frozen=True, omit_defaults=True):
    """Templates of prompts that people wrote, of a project or an agent; empty: what the layer below says."""

    task: str = ""
    rejection: str = ""
    conflict: str = ""

    def written(self) -> dict[str, str]:
        """Those that are there, by name."""
        return {name: text for name in self.__struct_fields__ if (text := getattr(self, name))}


class ProjectConfig(Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=False):
    """The document `projects.config`; keys as in the schema document."""

    worktree_root: str = ".worktrees"
    init_script: str | None = None
    env_file: str | None = None
    default_branch: str = "main"
    allowed_tools: tuple[str, ...] = tuple(DEFAULT_TOOLS)
    max_turns: int = 50
    #: A run that goes on longer, or says nothing for so long, is ended; background agents have neither limit.
    timeout_minutes: int = 60
    idle_timeout_minutes: int = 10
    model: str = DEFAULT_MODEL
    #: Command line that installs dependencies in a new worktree, split once; None guesses from the lock file.
    install_command: tuple[str, ...] | None = None
    #: Seconds that installing, and the init script, may take.
    install_timeout: int = 900
    init_timeout: int = 900
    #: What branches are called; `{id}` is the start of the task's id, `{slug}` its title in letters and hyphens.
    branch_template: str = "agent/{id}/{slug}"
    #: Days after which a worktree that no task needs can be pruned.
    stale_after_days: int = 14
    #: Days after which input, output and error of tool calls are emptied; None keeps them.
    audit_days: int | None = None
    #: Whether the repository's own hooks run as checks before a merge: they are code of the repository, so only when
    #: a person says so.
    run_hooks: bool = False
    #: Command line that must succeed in a task's worktree before a merge, split once.
    check_command: tuple[str, ...] | None = None
    #: Empty: as the server was started.
    sandbox: SandboxMode | Literal[""] = ""
    #: What agents see of the machine beyond their worktree: absolute paths, or with `~`.
    sandbox_readable: tuple[str, ...] = ()
    sandbox_writable: tuple[str, ...] = ()
    #: Of one run, with all that it starts; the last of each file.
    memory_limit_mb: int = 8192
    process_limit: int = 1000
    file_limit_mb: int = 4096
    #: What agents are refused, asked for and allowed, below `allowed_tools`.
    permissions: Rules = Rules()
    #: Whether `.claude` of the repository counts like these settings; else it can only make less of them.
    trust_repository: bool = False
    prompts: Prompts = Prompts()

    def to_json(self) -> str:
        """The document, without keys that are not set; those beyond the schema document only where one was chosen."""
        default = msgspec.to_builtins(ProjectConfig())
        document: dict[str, Any] = msgspec.to_builtins(self)
        kept = {k: v for k, v in document.items() if v is not None and not (k in _OURS and v == default[k])}
        return msgspec.json.encode(kept).decode()


_OURS = (
    "installTimeout", "initTimeout", "branchTemplate", "staleAfterDays", "runHooks", "sandbox", "sandboxReadable",
    "sandboxWritable", "memoryLimitMb", "processLimit", "fileLimitMb", "permissions", "trustRepository",
    "prompts",
)  # fmt: skip


class ProjectRow(Struct, frozen=True, kw_only=True):
    """One row of `projects`."""

    id: str
    name: str
    path: str
    description: str | None
    config: ProjectConfig
    max_concurrent_agents: int
    #: The folder of the repository, below the project's own, in which its configuration lies.
    config_path: str = ".claude"

    @property
    def root(self) -> Path:
        """The repository's folder."""
        return Path(self.path)


_SELECT = (
    "SELECT id, name, path, description, config, max_concurrent_agents,"
    " coalesce(nullif(trim(BOTH '/' FROM config_path), ''), '.claude') AS config_path FROM projects"
)


async def get_project(project_id: str) -> ProjectRow:
    """The project, or `INVALID_ID` / `PROJECT_NOT_FOUND`."""
    if not is_id(project_id):
        raise InvalidId("That is not the id of a project.")
    project = await one(ProjectRow, f"{_SELECT} WHERE id = $1", project_id)
    if project is None:
        raise NotFound("There is no such project.", "PROJECT_NOT_FOUND")
    return project


async def all_projects() -> list[ProjectRow]:
    """Every project by name."""
    return await rows(ProjectRow, f"{_SELECT} ORDER BY lower(name), id")


async def project_at(path: str) -> ProjectRow | None:
    """The project registered at this resolved path."""
    return await one(ProjectRow, f"{_SELECT} WHERE path = $1", path)
