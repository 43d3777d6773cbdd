"""What a task says of its runs, and what its prompts are made of."""

from app.configuration.sources import TASK, Layer, Said
from app.tasks.rows import TaskRow


def task_layer(task: TaskRow) -> Layer:
    """What holds for this task alone."""
    metadata = task.metadata
    values: dict[str, Said] = {}
    if metadata.model:
        values["model"] = metadata.model
    if metadata.max_turns is not None:
        values["maxTurns"] = metadata.max_turns
    if metadata.allowed_tools is not None:
        values["allowedTools"] = metadata.allowed_tools
    return Layer(source=TASK, values=values)


def task_values(task: TaskRow, *, branch: str, base_branch: str, project: str, agent: str) -> dict[str, str]:
    """The variables of a template that every prompt about a task may have."""
    return {
        "task.title": task.title,
        "task.description": task.description or "",
        "task.labels": ", ".join(task.labels),
        "task.id": task.id,
        "task.branch": branch,
        "task.attempt": str(task.rejection_count + 1),
        "project.name": project,
        "project.base_branch": base_branch,
        "agent.name": agent,
    }
