"""What a task's branch and folder are called."""

import re
import unicodedata
from pathlib import Path

from app.projects.rows import ProjectRow
from app.tasks.rows import TaskRow

SLUG_LIMIT = 48


def slug(title: str) -> str:
    """`title` in lower-case ASCII words joined by hyphens; `task` when nothing of it is left."""
    ascii_only = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")
    return words[:SLUG_LIMIT].rstrip("-") or "task"


def branch_name(project: ProjectRow, task: TaskRow) -> str:
    """The project's template with `{id}`, the first 6 characters of the task's, and `{slug}`, its title."""
    return project.config.branch_template.replace("{id}", task.id[:6]).replace("{slug}", slug(task.title))


def folder_of(project: ProjectRow, task: TaskRow) -> Path:
    """`{worktreeRoot}/{first 6}-{slug}`, inside the project unless the root is absolute."""
    root = Path(project.config.worktree_root).expanduser()
    return (root if root.is_absolute() else project.root / root) / f"{task.id[:6]}-{slug(task.title)}"
