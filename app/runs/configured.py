"""What holds for a run: read when its program is about to start, kept with the run, so that its page can say so later.

Everything that starts a run comes through here.
"""

import msgspec
from msgspec import Struct

from app.agents.configured import agent_layer, agent_place, has_own_models
from app.agents.rows import AgentRow, get_agent
from app.configuration.holding import configuration_of
from app.configuration.showing import shown
from app.configuration.sources import Configuration
from app.configuration.views import ConfigurationOfOne
from app.git.refusals import GitError, GitRefused
from app.postgres.reading import one
from app.projects.rows import ProjectRow
from app.runs.rows import RunRow
from app.runs.tables import AgentRun, RunDetail
from app.settings import Settings
from app.tasks.configured import task_layer
from app.tasks.rows import TaskRow
from app.web.hidden import name_hidden
from app.worktrees.creating import SetupFailed, cut_off
from app.worktrees.rows import WorktreeRow


class Kept(Struct, frozen=True, kw_only=True):
    """What a run keeps of it. `configuration` is None before its program started."""

    configuration: Configuration | None = None
    prompt_values: dict[str, str] = {}


async def configured(
    settings: Settings, project: ProjectRow, agent: AgentRow, task: TaskRow | None, worktree: WorktreeRow
) -> Configuration:
    """What holds from now on. `SetupFailed` where nobody can know what the repository demands."""
    above = (agent_layer(agent), *([task_layer(task)] if task else []))
    try:
        return await configuration_of(
            settings, project, *above, branch=worktree.base_branch, has_own_models=has_own_models(agent)
        )
    except (GitRefused, GitError) as error:
        why = f"What the repository says of its agents could not be read: {error}"
        if worktree.status == "creating":
            await cut_off(worktree, why)
        raise SetupFailed(why) from error


async def kept_of(run_id: str) -> Kept:
    """What a run was started with."""
    found = await one(
        Kept, "SELECT configuration, coalesce(prompt_values, '{}') AS prompt_values FROM run_details WHERE run_id = $1",
        run_id,
    )  # fmt: skip
    return found or Kept()


async def run_configuration(run: RunRow) -> ConfigurationOfOne:
    """What a run was started with, for its page."""
    kept, agent = await kept_of(run.id), await get_agent(run.agent_id)
    place = agent_place(agent, run.task_id or "")
    return ConfigurationOfOne(
        title=f"Configuration of run {run.number}",
        back=((f"/projects/{run.project_id}/runs", "Runs"), (f"/runs/{run.id}", f"Run {run.number}")),
        shown=shown(kept.configuration, place) if kept.configuration else None,
        prompt=name_hidden(run.prompt),
    )


async def keep_in_lock(run: RunRow, configuration: Configuration, prompt: str) -> None:
    """Write down with what the program of a run starts. The caller holds the project's lock."""
    takes_settings = run.runner != "command"
    await AgentRun.update({AgentRun.prompt: prompt}).where(AgentRun.id == run.id)
    await RunDetail.update(
        {
            RunDetail.configuration: msgspec.json.encode(_without_text(configuration)).decode(),
            RunDetail.model: (configuration.text("model") or None) if takes_settings else None,
            RunDetail.max_turns: configuration.number("maxTurns") if takes_settings else None,
        }
    ).where(RunDetail.run_id == run.id)


def _without_text(configuration: Configuration) -> Configuration:
    """The repository has the text of its `CLAUDE.md`, by the object id that is kept."""
    if configuration.instructions is None:
        return configuration
    return msgspec.structs.replace(
        configuration, instructions=msgspec.structs.replace(configuration.instructions, text="")
    )
