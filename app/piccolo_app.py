"""The tables of AgentPane, for Piccolo's migrations and admin."""

from piccolo.conf.apps import AppConfig

from app.agents.tables import Agent
from app.audit.tables import AuditLog, ChainEntry
from app.budgets.tables import BudgetAlert, BudgetLimit, ModelPrice, RunUsage
from app.events.tables import Event
from app.github.tables import GithubInstallation, RepositoryConfig
from app.permissions.tables import PermissionRequest
from app.projects.tables import Project
from app.resources import resource_path
from app.reviews.tables import Check, Merge
from app.runs.tables import AgentRun, RunDetail
from app.sessions.tables import Session, SessionMessage, StandaloneSession
from app.tasks.tables import Task
from app.worktrees.tables import Worktree, WorktreeDetail, WorktreeStep

#: The nine tables of the schema document, then our additions; `docs/schema.md` gives the reason of each.
SCHEMA_TABLES = [
    Project, Task, Agent, AgentRun, Session, Worktree, AuditLog, GithubInstallation, RepositoryConfig,
]  # fmt: skip
ADDED_TABLES = [
    Event,
    RunDetail,
    PermissionRequest,
    SessionMessage,
    StandaloneSession,
    WorktreeDetail,
    WorktreeStep,
    Merge,
    Check,
    ChainEntry,
    BudgetLimit,
    RunUsage,
    BudgetAlert,
    ModelPrice,
]

APP_CONFIG = AppConfig(
    app_name="agentpane",
    migrations_folder_path=str(resource_path("piccolo_migrations")),
    table_classes=[*SCHEMA_TABLES, *ADDED_TABLES],
)
