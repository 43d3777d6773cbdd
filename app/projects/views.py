"""What the pages of one project's own settings show."""

from msgspec import Struct

from app.runners.rules import Rules
from app.web.forms import Entered


class NewProject(Struct, frozen=True, kw_only=True):
    """The form of a new project, with what was typed; `code` says why it came back. `first` without any project."""

    form: Entered = Entered()
    code: str = ""
    first: bool = False


class ProjectSettings(Struct, frozen=True, kw_only=True):
    """A project as it is stored, and the forms that change it.

    `path_problem` is the sentence of the path check, empty when the path is a usable git repository. `is_gone`:
    there is nothing at all at the path, so the folder may have been moved.
    `running_agents` must be 0 before the project can be deleted. `saved` right after saving.
    """

    id: str
    name: str
    path: str
    description: str
    default_branch: str
    worktree_root: str
    env_file: str
    init_script: str
    install_command: str
    install_timeout: int
    init_timeout: int
    branch_template: str
    stale_after_days: int
    allowed_tools: tuple[str, ...]
    max_turns: int
    timeout_minutes: int
    idle_timeout_minutes: int
    model: str
    max_concurrent_agents: int
    permissions: Rules = Rules()
    run_hooks: bool = False
    check_command: str = ""
    sandbox: str = ""
    #: What holds where the project says nothing; and why none can be had, as a part of a sentence.
    server_sandbox: str = "auto"
    no_sandbox: str = ""
    sandbox_readable: str = ""
    sandbox_writable: str = ""
    memory_limit_mb: int = 0
    process_limit: int = 0
    file_limit_mb: int = 0
    path_problem: str = ""
    is_gone: bool = False
    running_agents: int = 0
    saved: bool = False
    form: Entered = Entered()
    relocate_form: Entered = Entered()
    delete_form: Entered = Entered()
