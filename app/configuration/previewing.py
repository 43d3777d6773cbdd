"""With what a template's preview is filled in: a task that is there, or a sample."""

from msgspec import Struct

from app.postgres.reading import one, rows
from app.projects.rows import ProjectRow

#: Tasks that can be chosen, the newest.
MOST_TASKS = 50

_SAMPLE = {
    "task.title": "Normalise extras before comparing",
    "task.description": "`a[X]` and `a[x]` are the same requirement.\n\n- Compare normalised names.\n- Keep the order.",
    "task.labels": "resolver, bug",
    "task.id": "k7f2q9b1m4x8c3v5n6z0a2s1",
    "task.branch": "agent/k7f2q9/normalise-extras-before-comparing",
    "task.attempt": "2",
    "rejection.reason": "Compare them where they are parsed, please, and add a test.",
    "rejection.person": "Mara Lindqvist",
    "conflict.details": (
        "It is being merged into your branch: the merge is open in your worktree, with conflict marks in these files:"
        "\n\n- src/resolver.py: both sides changed the same lines"
    ),
    "conflict.files": "- src/resolver.py: both sides changed the same lines",
    "conflict.unresolved": "",
    "conflict.person": "Mara Lindqvist",
}


class _Task(Struct, frozen=True, kw_only=True):
    id: str
    title: str
    description: str
    labels: tuple[str, ...]
    branch: str
    rejection_count: int
    rejection_reason: str


class _Choice(Struct, frozen=True):
    id: str
    title: str


async def choices(project_id: str) -> tuple[tuple[str, str], ...]:
    """The tasks of a project as a list offers them."""
    found = await rows(
        _Choice, "SELECT id, title FROM tasks WHERE project_id = $1 ORDER BY created_at DESC, id LIMIT $2",
        project_id, MOST_TASKS,
    )  # fmt: skip
    return tuple((each.id, each.title) for each in found)


async def preview_values(project: ProjectRow, task_id: str, agent: str) -> dict[str, str]:
    """The values of a task of the project, a sample's where it has none, or where there is no such task."""
    base = project.config.default_branch
    known = _SAMPLE | {
        "project.name": project.name,
        "project.base_branch": base,
        "agent.name": agent or "claude-1",
        "conflict.base": f"{base} (8c41d0e2b7)",
    }
    task = await one(
        _Task,
        "SELECT id, title, coalesce(description, '') AS description, coalesce(labels, '[]') AS labels,"
        " coalesce(branch, '') AS branch, coalesce(rejection_count, 0) AS rejection_count,"
        " coalesce(rejection_reason, '') AS rejection_reason FROM tasks WHERE id = $1 AND project_id = $2",
        task_id,
        project.id,
    )
    return known | _of(task) if task else known


def _of(task: _Task) -> dict[str, str]:
    values = {
        "task.title": task.title,
        "task.description": task.description,
        "task.labels": ", ".join(task.labels),
        "task.id": task.id,
        "task.attempt": str(task.rejection_count + 1),
    }
    if task.branch:
        values["task.branch"] = task.branch
    return values | ({"rejection.reason": task.rejection_reason} if task.rejection_reason else {})
