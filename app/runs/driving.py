"""Drive one claimed run from its worktree to its end."""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path

from app.agents import states
from app.agents.rows import AgentRow, get_agent
from app.events.recording import SYSTEM, Actor, record
from app.git.repository import inspect
from app.ids import create_id
from app.postgres.errors import is_away
from app.postgres.patience import patiently
from app.postgres.reading import execute
from app.processes import trees
from app.processes.redacting import Redactor
from app.projects.locking import locked
from app.projects.rows import ProjectRow, get_project
from app.projects.tables import DEFAULT_MODEL
from app.runners.base import AgentEvent, ErrorType, Finished, LiveRun, Runner, RunSpec
from app.runners.measuring import measured
from app.runs import states as run_states
from app.runs.claiming import Claim
from app.runs.environment import run_environment
from app.runs.finishing import finish
from app.runs.recording import Recorder
from app.runs.rows import RunRow, get_run
from app.runs.tables import RunDetail
from app.sessions.messaging import take_next
from app.settings import Settings
from app.tasks.rows import get_task
from app.worktrees.creating import SetupFailed, prepare, task_folder
from app.worktrees.rows import WorktreeRow, get_worktree

log = logging.getLogger(__name__)

#: What is written at once: events that come within this many seconds, at most so many.
BATCH_S = 0.1
BATCH_MAX = 100


class Drive:
    """One run on its way. `stop` may be called at any moment, also before the program is up."""

    def __init__(self, claim: Claim, runners: Mapping[str, Runner], settings: Settings) -> None:
        self.claim = claim
        self.settings = settings
        self._runners = runners
        self._live: LiveRun | None = None
        self._stop_reason: ErrorType | None = None
        self._setup: asyncio.Task[WorktreeRow] | None = None

    async def run(self) -> Claim | None:
        """The whole run. Whatever goes wrong, the run ends in the database with a reason.

        Returns what the agent took next in the transaction that freed it, to be driven at once.
        """
        agent = await patiently(lambda: get_agent(self.claim.agent_id))
        recorder = Recorder(self.claim, agent.name, Redactor(self.settings.agent_environment))
        try:
            ending = await self._run(recorder)
        except SetupFailed as error:
            ending = Finished(error_type="setup_failed", error=error.message)
        except Exception as error:
            ending = self._broken_off(error)
        if self._live is not None:
            await self._live.stop("interrupted")
        if self._stop_reason and ending.error_type == "setup_failed":
            ending = Finished(error_type=self._stop_reason, error=ending.error)
        following = await patiently(lambda: finish(self.claim, recorder, ending, goes_on=self._stop_reason is None))
        shutil.rmtree(self._state_dir, ignore_errors=True)
        return following

    async def stop(self, reason: ErrorType) -> None:
        """End the run with `reason`, the first one counts; returns when its processes are gone."""
        if self._stop_reason is None:
            self._stop_reason = reason
            if self._setup is not None:
                self._setup.cancel()
        if self._live is not None:
            await self._live.stop(self._stop_reason)

    def _broken_off(self, error: Exception) -> Finished:
        """The ending of a run that did not fail by itself."""
        if is_away(error):
            log.warning("run %s is interrupted: the database is away", self.claim.run_id)
            return Finished(error_type="interrupted", error="The database was away while this run was going on.")
        log.error("run %s failed in our own code", self.claim.run_id, exc_info=error)
        reason: ErrorType = "interrupted" if self._live else "setup_failed"
        return Finished(error_type=reason, error=f"AgentPane failed: {error}")

    @property
    def _state_dir(self) -> Path:
        return self.settings.data_dir / "runs" / self.claim.run_id

    async def _run(self, recorder: Recorder) -> Finished:
        project, agent = await get_project(self.claim.project_id), await get_agent(self.claim.agent_id)
        await self._require_wanted()
        worktree = await self._prepare(project)
        run = await self._require_wanted()
        runner = self._runners.get(run.runner)
        if runner is None:
            return Finished(error_type="runner_missing", error=f"This version has no runner '{run.runner}'.")
        spec = await self._spec(project, agent, worktree, run, recorder)
        available = runner.availability(spec.env, spec.command)
        if not available.ready:
            return Finished(error_type="runner_missing", error=available.missing)
        await self._begin(run)
        self._live = await runner.start(spec)
        if self._stop_reason:
            await self._live.stop(self._stop_reason)
        return await self._listen(self._live, recorder)

    async def _require_wanted(self) -> RunRow:
        """The run, unless somebody asked for its end before its program began."""
        run = await get_run(self.claim.run_id)
        if run.stop_requested and self._stop_reason is None:
            self._stop_reason = "stopped"
        if self._stop_reason:
            raise SetupFailed("The run was stopped before its program began.")
        return run

    async def _prepare(self, project: ProjectRow) -> WorktreeRow:
        task = await get_task(self.claim.task_id)
        run = await get_run(self.claim.run_id)
        worktree = await get_worktree(self.claim.worktree_id)
        env = run_environment(self.settings, project, task, worktree, run)
        self._setup = asyncio.create_task(prepare(self.claim.worktree_id, env))
        try:
            return await self._setup
        except asyncio.CancelledError:
            if self._stop_reason is None:
                raise
            raise SetupFailed("The run was stopped while its worktree was set up.") from None
        finally:
            self._setup = None

    async def _spec(
        self, project: ProjectRow, agent: AgentRow, worktree: WorktreeRow, run: RunRow, recorder: Recorder
    ) -> RunSpec:
        repository = await inspect(project.root)
        folder = task_folder(worktree, repository)
        if folder.resolve() == project.root.resolve():
            raise SetupFailed("The worktree is the project's own folder, where no agent works.")
        self._state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        task = await get_task(self.claim.task_id)
        return RunSpec(
            run_id=run.id,
            cwd=folder,
            prompt=run.prompt,
            env=run_environment(self.settings, project, task, worktree, run),
            state_dir=self._state_dir,
            command=agent.config.command,
            system_prompt=agent.config.system_prompt,
            model=self._model(agent),
            temperature=agent.config.temperature,
            allowed_tools=agent.config.allowed_tools,
            max_turns=agent.config.max_turns,
            resume=run.native_session_id,
            next_message=partial(self._next_message, recorder),
        )

    def _model(self, agent: AgentRow) -> str:
        """The agent's own model; one that never chose gets the operator's default."""
        if agent.config.model == DEFAULT_MODEL:
            return self.settings.default_model or DEFAULT_MODEL
        return agent.config.model

    async def _next_message(self, recorder: Recorder) -> str | None:
        message = await take_next(self.claim.session_id, self.claim.project_id)
        if message is None:
            return None
        recorder.expect_message_of(Actor("person", message.author))
        return message.text

    async def _begin(self, run: RunRow) -> None:
        async with locked(self.claim.project_id):
            await run_states.change(run, "begin", actor=SYSTEM)
            await RunDetail.update({RunDetail.boot_id: trees.boot_id()}).where(RunDetail.run_id == run.id)
            await states.change(self.claim.project_id, self.claim.agent_id, "begin", actor=SYSTEM)
            if run.cause == "task":
                await self._record_task(run.prompt)

    async def _record_task(self, prompt: str) -> None:
        payload = {"message": create_id(), "text": prompt, "role": "user"}
        await record(
            self.claim.project_id, "message", actor=SYSTEM, subject=self.claim.run_id,
            session_id=self.claim.session_id, payload=payload,
        )  # fmt: skip
        await execute("UPDATE sessions SET message_count = message_count + 1 WHERE id = $1", self.claim.session_id)

    async def _listen(self, live: LiveRun, recorder: Recorder) -> Finished:
        ending = Finished(error_type="process_exit", error="The program ended without saying how.")
        async for batch in batches(measured(live.events())):
            rest = [event for event in batch if not isinstance(event, Finished)]
            ending = next((event for event in batch if isinstance(event, Finished)), ending)
            await recorder.write(rest)
        return ending


async def batches(events: AsyncIterator[AgentEvent]) -> AsyncIterator[list[AgentEvent]]:
    """Events in lists of what came at about the same time, so that a chatty program costs few transactions."""
    queue: asyncio.Queue[AgentEvent | None] = asyncio.Queue(BATCH_MAX)
    pump = asyncio.create_task(_pump(events, queue))
    try:
        ended = False
        while not ended:
            batch = [await queue.get()]
            if batch[0] is not None and not isinstance(batch[0], Finished):
                await asyncio.sleep(BATCH_S)
            while not queue.empty():
                batch.append(queue.get_nowait())
            ended = None in batch
            if found := [event for event in batch if event is not None]:
                yield found
        await pump
    finally:
        pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pump


async def _pump(events: AsyncIterator[AgentEvent], queue: "asyncio.Queue[AgentEvent | None]") -> None:
    async for event in events:
        await queue.put(event)
    await queue.put(None)
