"""The table `projects`, as `docs/schema.md` describes it."""

from piccolo.columns import JSONB, Integer, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from app.postgres.columns import Id

DEFAULT_TOOLS = ["Read", "Edit", "Bash", "Glob", "Grep"]
DEFAULT_MODEL = "claude-sonnet-4-20250514"
DEFAULT_CONFIG = {
    "worktreeRoot": ".worktrees",
    "defaultBranch": "main",
    "allowedTools": DEFAULT_TOOLS,
    "maxTurns": 50,
    "model": DEFAULT_MODEL,
}


class Project(Table, tablename="projects"):
    """One git repository on this machine."""

    id = Id()
    name = Text()
    #: The resolved absolute path; a symbolic link to a registered repository is the same repository.
    path = Text(unique=True)
    description = Text(null=True, default=None)
    #: Keys as in the schema document: worktreeRoot, initScript, envFile, defaultBranch, allowedTools, maxTurns, model,
    #: and ours.
    config = JSONB(default=DEFAULT_CONFIG)
    max_concurrent_agents = Integer(default=3)
    github_owner = Text(null=True, default=None)
    github_repo = Text(null=True, default=None)
    github_installation_id = Text(null=True, default=None)
    config_path = Text(null=True, default=".claude")
    created_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())
