"""What a task says of its runs, and what its prompts are made of."""

from app.agents.configured import agent_configuration, agent_place
from app.agents.rows import get_agent
from app.configuration.holding import shown_configuration
from app.configuration.showing import Place, shown
from app.configuration.sources import TASK, Layer, Said
from app.configuration.views import ConfigurationView
from app.projects.rows import ProjectRow
from app.settings import Settings
from app.tasks.rows import TaskRow


def task_layer(task: TaskRow) -> Layer:
    """What holds for this task alone."""
    metadata = task.metadata
    values: dict[str, Said] = {}
    if metadata.model:
        values["model"] = metadata.model
    if metadata.max_turns is not None:
        values["maxTurns"] = metadata.max_turns
    if metadata.timeout_minutes is not None:
        values["timeoutMinutes"] = metadata.timeout_minutes
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


async def task_configuration(settings: Settings, project: ProjectRow, task: TaskRow) -> ConfigurationView:
    """What holds for its next run, for a page: with the agent that has it or that it names, else with none."""
    agent_id = task.agent_id or task.metadata.wanted_agent_id
    if agent_id is None:
        found = await shown_configuration(settings, project, task_layer(task))
        return shown(found, Place(project_id=project.id, task_id=task.id))
    agent = await get_agent(agent_id)
    found = await agent_configuration(settings, project, agent, task_layer(task))
    return shown(found, agent_place(agent, task.id))
