"""The trials of this server: one of each agent at a time, a few at once, and the newest outcome of each for a while."""

import asyncio
import logging

from app.agents.rows import AgentRow
from app.errors import Conflict
from app.git.refusals import GitError, GitRefused
from app.git.repository import inspect
from app.git.scratch import discard_scratch, forgotten_scratches
from app.processes import trees
from app.projects.rows import ProjectRow, all_projects
from app.settings import Settings
from app.trials.trying import Trial
from app.trials.views import Outcome

log = logging.getLogger(__name__)

#: Trials that may go on at one time, and outcomes that are kept.
AT_ONCE = 3
_KEPT = 100


class Trials:
    """Begins, shows and ends trials. Nothing of it outlives the server."""

    def __init__(self) -> None:
        self._newest: dict[str, Trial] = {}

    def begin(self, settings: Settings, project: ProjectRow, agent: AgentRow, prompt: str, who: str) -> None:
        """Try `agent` with `prompt`, as `who` wants it. 409 while it is being tried, or while enough others are."""
        going_on = [each for each in self._newest.values() if not each.task.done()]
        if self._is_tried(agent.id):
            raise Conflict(f"{agent.name} is being tried. Wait for the end, or stop it.")
        if len(going_on) >= AT_ONCE:
            raise Conflict(f"{AT_ONCE} agents are being tried at once. Wait until one has ended.")
        log.info("agent %s of project %s is tried by %s", agent.name, project.name, who)
        self._newest.pop(agent.id, None)
        self._newest[agent.id] = Trial(settings, project, agent, prompt)
        for old in [id for id, each in self._newest.items() if each.task.done()][: len(self._newest) - _KEPT]:
            del self._newest[old]

    def outcome_of(self, agent_id: str) -> Outcome | None:
        """The newest trial of an agent, if there was one since the server started."""
        trial = self._newest.get(agent_id)
        return trial.outcome() if trial else None

    async def stop(self, agent_id: str) -> None:
        """End the trial of an agent; returns when nothing of it is left. One that is over stays as it is."""
        if self._is_tried(agent_id):
            await self._newest[agent_id].stop()

    async def close(self) -> None:
        """The server ends: so do all trials."""
        await asyncio.gather(*(each.stop("interrupted") for each in self._newest.values() if not each.task.done()))

    def _is_tried(self, agent_id: str) -> bool:
        trial = self._newest.get(agent_id)
        return trial is not None and not trial.task.done()


async def clear_forgotten() -> int:
    """Take away what trials of a killed server left in the repositories; how many there were."""
    cleared = 0
    for project in await all_projects():
        try:
            repository = await inspect(project.root)
            for path, name in await forgotten_scratches(repository):
                await trees.sweep(name)
                await discard_scratch(repository, path, name)
                cleared += 1
        except (GitRefused, GitError, OSError) as error:
            log.warning("project %s: what a trial left could not be taken away: %s", project.name, error)
    return cleared
