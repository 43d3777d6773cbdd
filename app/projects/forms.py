"""What people type about projects, with the limits of the contract."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from app.projects.permitting import RuleFields

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Text500 = Annotated[str, Meta(max_length=500)]
Branch = Annotated[str, Meta(max_length=200)]
Tool = Annotated[str, Meta(min_length=1, max_length=200)]
Seconds = Annotated[int, Meta(ge=1, le=86_400)]
Paths = Annotated[str, Meta(max_length=10_000)]
Agents = Annotated[int, Meta(ge=1, le=10)]


class NewProject(Struct, frozen=True, kw_only=True):
    """The form 'Add a repository'."""

    path: Annotated[str, Meta(min_length=1, max_length=4000)]
    #: Empty: the folder's own name.
    name: Annotated[str, Meta(max_length=100)] = ""
    description: Text500 | None = None
    max_concurrent_agents: Agents = 3
    #: Empty: the branch that is checked out there.
    default_branch: Branch = ""


class ProjectSettings(RuleFields, frozen=True, kw_only=True):
    """The form of the settings page."""

    name: Name
    description: Text500 | None = None
    max_concurrent_agents: Agents = 3
    default_branch: Branch = ""
    worktree_root: Annotated[str, Meta(max_length=1000)] = ".worktrees"
    #: Comma separated paths or patterns below the repository, copied into each worktree.
    env_file: Annotated[str, Meta(max_length=1000)] | None = None
    #: A script of the repository, run as a file in each new worktree.
    init_script: Annotated[str, Meta(max_length=1000)] | None = None
    #: One line in POSIX quoting; empty guesses from the lock file.
    install_command: Annotated[str, Meta(max_length=1000)] | None = None
    install_timeout: Seconds = 900
    init_timeout: Seconds = 900
    #: With `{id}`, and `{slug}` if liked. Empty: `agent/{id}/{slug}`.
    branch_template: Branch = ""
    stale_after_days: Annotated[int, Meta(ge=1, le=3650)] = 14
    #: The repository's own hooks run as checks before a merge.
    run_hooks: bool = False
    #: One line in POSIX quoting; it must succeed before a merge.
    check_command: Annotated[str, Meta(max_length=1000)] | None = None
    #: Comma separated in the form.
    allowed_tools: Annotated[tuple[Tool, ...], Meta(max_length=100)] = ()
    max_turns: Annotated[int, Meta(ge=1, le=1000)] = 50
    timeout_minutes: Annotated[int, Meta(ge=1, le=10_080)] = 60
    idle_timeout_minutes: Annotated[int, Meta(ge=1, le=1440)] = 10
    model: Annotated[str, Meta(max_length=200)] = ""
    #: Empty: as the server was started.
    sandbox: Literal["", "auto", "required", "off"] = ""
    #: One path a line, of the machine: what agents see of it, and what of it they may change.
    sandbox_readable: Paths | None = None
    sandbox_writable: Paths | None = None
    #: MiB that a run may use, with all that it starts; of one file for the last.
    memory_limit_mb: Annotated[int, Meta(ge=256, le=4_194_304)] = 8192
    process_limit: Annotated[int, Meta(ge=10, le=100_000)] = 1000
    file_limit_mb: Annotated[int, Meta(ge=1, le=4_194_304)] = 4096


class Relocation(Struct, frozen=True, kw_only=True):
    """Where the folder of a project is now."""

    path: Annotated[str, Meta(min_length=1, max_length=4000)]


class Deletion(Struct, frozen=True, kw_only=True):
    """The form of the danger zone."""

    confirm_name: str = ""
