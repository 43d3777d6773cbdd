"""What Piccolo's automatic migrations cannot say: no default on ids and required texts, the indexes by their names."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-22T22:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "defaults and indexes"

#: Columns whose value the application always gives.
WITHOUT_DEFAULT = {
    "projects": ["name", "path"],
    "tasks": ["title"],
    "agents": ["name"],
    "agent_runs": ["prompt"],
    "sessions": ["url"],
    "worktrees": ["branch", "path"],
    "audit_logs": ["tool", "input", "turn_number"],
    "github_installations": ["id", "account_id", "account_login", "account_type"],
    "repository_configs": ["owner", "repo", "full_name"],
    "events": ["project_id", "kind"],
    "session_messages": ["author", "text"],
    "worktree_steps": ["name"],
    "merges": ["digest", "method", "base_branch", "branch", "old_oid", "new_oid", "merged_by"],
}

INDEXES = [
    "projects_path_idx ON projects (path)",
    "projects_github_idx ON projects (github_owner, github_repo)",
    "projects_updated_at_idx ON projects (updated_at)",
    "tasks_project_idx ON tasks (project_id)",
    'tasks_column_idx ON tasks (project_id, "column")',
    "tasks_agent_idx ON tasks (agent_id)",
    'tasks_position_idx ON tasks (project_id, "column", position)',
    "tasks_branch_idx ON tasks (branch)",
    "agents_project_idx ON agents (project_id)",
    "agents_status_idx ON agents (project_id, status)",
    "agents_current_task_idx ON agents (current_task_id)",
    "agent_runs_agent_idx ON agent_runs (agent_id)",
    "agent_runs_task_idx ON agent_runs (task_id)",
    "agent_runs_project_idx ON agent_runs (project_id)",
    "agent_runs_status_idx ON agent_runs (status)",
    "agent_runs_started_at_idx ON agent_runs (started_at)",
    "sessions_project_idx ON sessions (project_id)",
    "sessions_task_idx ON sessions (task_id)",
    "sessions_agent_idx ON sessions (agent_id)",
    "sessions_url_idx ON sessions (url)",
    "sessions_active_idx ON sessions (is_active)",
    "worktrees_project_idx ON worktrees (project_id)",
    "worktrees_task_idx ON worktrees (task_id)",
    "worktrees_branch_idx ON worktrees (branch)",
    "worktrees_status_idx ON worktrees (status)",
    "worktrees_path_idx ON worktrees (path)",
    "audit_logs_agent_idx ON audit_logs (agent_id)",
    "audit_logs_agent_run_idx ON audit_logs (agent_run_id)",
    "audit_logs_task_idx ON audit_logs (task_id)",
    "audit_logs_project_idx ON audit_logs (project_id)",
    "audit_logs_tool_idx ON audit_logs (tool)",
    "audit_logs_timestamp_idx ON audit_logs (timestamp)",
    "github_installations_account_idx ON github_installations (account_login)",
    "repository_configs_installation_idx ON repository_configs (installation_id)",
    "repository_configs_full_name_idx ON repository_configs (full_name)",
    "repository_configs_owner_repo_idx ON repository_configs (owner, repo)",
    "events_project_number_idx ON events (project_id, number)",
    "events_session_number_idx ON events (session_id, number)",
    "session_messages_session_idx ON session_messages (session_id)",
    "worktree_steps_worktree_idx ON worktree_steps (worktree_id)",
    "merges_project_idx ON merges (project_id)",
    "merges_task_idx ON merges (task_id)",
]

STATEMENTS = [
    *(
        f"ALTER TABLE {table} " + ", ".join(f'ALTER COLUMN "{column}" DROP DEFAULT' for column in columns)
        for table, columns in WITHOUT_DEFAULT.items()
    ),
    *(f"CREATE INDEX {index}" for index in INDEXES),
    "ALTER TABLE events ADD CONSTRAINT events_project_id_fkey"
    " FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE",
    "ALTER TABLE events ADD CONSTRAINT events_session_id_fkey"
    " FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE",
]


class RawTable(Table):
    """A handle for raw statements."""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="agentpane", description=DESCRIPTION)

    async def run():
        for statement in STATEMENTS:
            await RawTable.raw(statement)

    async def run_backwards():
        for index in INDEXES:
            await RawTable.raw(f"DROP INDEX IF EXISTS {index.split(' ', 1)[0]}")
        for column in ("project_id", "session_id"):
            await RawTable.raw(f"ALTER TABLE events DROP CONSTRAINT IF EXISTS events_{column}_fkey")

    manager.add_raw(run)
    manager.add_raw_backwards(run_backwards)
    return manager
