"""What a task's branch and folder are called."""

import re
import unicodedata
from pathlib import Path
from typing import Protocol

from app.projects.rows import ProjectRow

SLUG_LIMIT = 48


def slug(title: str) -> str:
    """`title` in lower-case ASCII words joined by hyphens; `task` when nothing of it is left."""
    ascii_only = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")
    return words[:SLUG_LIMIT].rstrip("-") or "task"


class Titled(Protocol):
    """A task, or a session that belongs to none."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...


def branch_name(project: ProjectRow, work: Titled) -> str:
    """The project's template with `{id}`, the first 6 characters of the work's, and `{slug}`, its title."""
    return project.config.branch_template.replace("{id}", work.id[:6]).replace("{slug}", slug(work.title))


def folder_of(project: ProjectRow, work: Titled) -> Path:
    """`{worktreeRoot}/{first 6}-{slug}`, inside the project unless the root is absolute."""
    root = Path(project.config.worktree_root).expanduser()
    return (root if root.is_absolute() else project.root / root) / f"{work.id[:6]}-{slug(work.title)}"
