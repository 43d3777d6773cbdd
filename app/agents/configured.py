"""What an agent says of its own runs, as a layer of what holds for them."""

from pathlib import PurePath

from app.agents.rows import AgentConfig, AgentRow
from app.configuration.holding import shown_configuration
from app.configuration.showing import Place
from app.configuration.sources import Configuration, Layer, Said, Source
from app.projects.rows import ProjectRow
from app.settings import Settings

#: Commands that read the `CLAUDE.md` of the folder in which they start. Claude Code by the SDK and what speaks ACP are
#: told not to, since they would load settings with it.
_READ_IT_THEMSELVES = ("claude", "opencode")


def agent_layer(agent: AgentRow) -> Layer:
    """Only what was chosen for it: everything else is as its project says."""
    config = agent.config
    values: dict[str, Said] = {}
    if config.model and (config.runner == "acp" or config.chosen_model):
        values["model"] = config.model
    if config.max_turns is not None:
        values["maxTurns"] = config.max_turns
    if config.timeout_minutes is not None:
        values["timeoutMinutes"] = config.timeout_minutes
    if config.allowed_tools is not None:
        values["allowedTools"] = config.allowed_tools
    if config.sandbox:
        values["sandbox"] = config.sandbox
    return Layer(
        source=Source("agent", agent.name), values=values, rules=config.permissions, prompts=config.prompts.written()
    )


def has_own_models(agent: AgentRow) -> bool:
    """Whether models that are named for Claude mean nothing to its program."""
    return agent.config.runner == "acp"


def reads_instructions(config: AgentConfig) -> bool:
    """Whether its program reads the repository's `CLAUDE.md` by itself, so that nobody has to tell it."""
    return config.runner == "command" and PurePath((config.command or ("",))[0]).name in _READ_IT_THEMSELVES


async def agent_configuration(settings: Settings, project: ProjectRow, agent: AgentRow, *above: Layer) -> Configuration:
    """What holds for its next run, for a page; `above` is what a task says."""
    layers = (agent_layer(agent), *above)
    return await shown_configuration(settings, project, *layers, has_own_models=has_own_models(agent))


def agent_place(agent: AgentRow, task_id: str = "") -> Place:
    """Where its pages are, and what its program hears of."""
    return Place(
        project_id=agent.project_id,
        agent_id=agent.id,
        task_id=task_id,
        runner=agent.config.runner,
        reads_instructions=reads_instructions(agent.config),
    )
