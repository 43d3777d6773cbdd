"""Drive one claimed run from its worktree to its end."""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec

from app.agents.rows import AgentRow, get_agent
from app.configuration.holding import confined
from app.configuration.sources import Configuration
from app.permissions.waiting import Waiting
from app.postgres.errors import is_away
from app.postgres.patience import patiently
from app.processes.redacting import Redactor
from app.projects.rows import ProjectRow, get_project
from app.runners.base import ErrorType, Finished, LiveRun, Rested, Runner, RunSpec
from app.runners.measuring import measured
from app.runs.asking import Questions
from app.runs.batching import batches
from app.runs.budgeting import Accounts
from app.runs.claiming import Claim
from app.runs.configured import configured
from app.runs.environment import run_environment
from app.runs.finishing import finish
from app.runs.launching import launch
from app.runs.outlasting import outlast
from app.runs.pausing import move_on, rest, stand_still
from app.runs.recording import Recorder
from app.runs.retelling import NEEDS_THE_PAST, retold
from app.runs.rows import RunRow, get_run
from app.runs.specifying import (
    chosen_for,
    folder_of_run,
    left_from_before,
    limits_of,
    sandbox_of_run,
    why_unconfined,
)
from app.runs.wording import with_instructions
from app.sessions.messaging import next_queued
from app.settings import Settings
from app.tasks.rows import TaskRow, get_task
from app.worktrees.creating import SetupFailed, prepare
from app.worktrees.rows import WorktreeRow, get_worktree

log = logging.getLogger(__name__)


class Drive:
    """One run on its way. `stop` and `heed` may be called at any moment, also before the program is up."""

    def __init__(self, claim: Claim, runners: Mapping[str, Runner], settings: Settings, waiting: Waiting) -> None:
        self.claim = claim
        self.settings = settings
        self._runners = runners
        self._waiting = waiting
        self._live: LiveRun | None = None
        self._stop_reason: ErrorType | None = None
        self._setup: asyncio.Task[WorktreeRow] | None = None
        self._heeding = asyncio.Lock()
        #: The ids of the messages that the program was given.
        self._handed: set[str] = set()

    async def run(self) -> Claim | None:
        """The whole run, to its end or its rest. Whatever goes wrong, it ends in the database with a reason.

        Returns what the agent took next in the transaction that freed it, to be driven at once.
        """
        agent = await patiently(lambda: get_agent(self.claim.agent_id))
        recorder = Recorder(self.claim, agent.name, Redactor(self.settings.agent_environment))
        ending: Finished | Rested
        try:
            ending = await self._run(recorder)
        except SetupFailed as error:
            ending = Finished(error_type="setup_failed", error=error.message)
        except Exception as error:
            ending = self._broken_off(error)
        if self._live is not None:
            await self._live.stop("interrupted")
        following = await self._write(recorder, self._worded(ending))
        shutil.rmtree(self._state_dir, ignore_errors=True)
        return following

    def _worded(self, ending: Finished | Rested) -> Finished | Rested:
        """With the reason for which somebody wanted the end, where it came before the program could tell it."""
        if self._stop_reason is None:
            return ending
        if isinstance(ending, Rested):
            session = ending.native_session_id
            return Finished(error_type=self._stop_reason, usage=ending.usage, native_session_id=session)
        if ending.error_type == "setup_failed":
            return Finished(error_type=self._stop_reason, error=ending.error)
        return ending

    async def _write(self, recorder: Recorder, ending: Finished | Rested) -> Claim | None:
        if isinstance(ending, Rested):
            await patiently(lambda: rest(self.claim, recorder, ending))
            return None
        if self._stop_reason == "interrupted":
            if (await patiently(lambda: get_run(self.claim.run_id))).rests:
                return None  # It rested already when the server was stopped, and rests on.
            rested = Rested(
                turn_count=ending.turn_count, usage=ending.usage, native_session_id=ending.native_session_id
            )
            if await patiently(lambda: outlast(self.claim, recorder, rested)):
                return None
        return await patiently(lambda: finish(self.claim, recorder, ending, goes_on=self._stop_reason is None))

    async def look_at_the_clock(self) -> None:
        """Count the time that the run has taken, which nothing else may tell."""
        if self._live is not None and self._stop_reason is None:
            await Accounts(self.claim).pass_time()

    async def stop(self, reason: ErrorType) -> None:
        """End the run with `reason`, the first one counts; returns when its processes are gone."""
        if self._stop_reason is None:
            self._stop_reason = reason
            if self._setup is not None:
                self._setup.cancel()
        if self._live is not None:
            await self._live.stop(self._stop_reason)

    async def heed(self) -> None:
        """Rest or go on, as somebody wants by now; may be called too often."""
        async with self._heeding:
            run = await get_run(self.claim.run_id)
            if self._live is None or self._stop_reason or not run.is_live:
                return
            if not run.pause_requested:
                await self._live.resume()
                await move_on(self.claim)
                await self._hurry_for_a_message(self._live)
            elif await self._live.pause():
                await stand_still(self.claim)

    async def _hurry_for_a_message(self, live: LiveRun) -> None:
        message = await next_queued(self.claim.session_id, self._handed)
        if message and message.is_urgent:
            await live.hurry()

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

    async def _run(self, recorder: Recorder) -> Finished | Rested:
        project, agent = await get_project(self.claim.project_id), await get_agent(self.claim.agent_id)
        await self._require_wanted()
        configuration = await self._configured(project, agent)
        project = confined(project, configuration)
        worktree = await self._prepare(project)
        run = await self._require_wanted()
        runner = self._runners.get(run.runner)
        if runner is None:
            return Finished(error_type="runner_missing", error=f"This version has no runner '{run.runner}'.")
        questions = Questions(agent.name, recorder, self._waiting, lambda: self._stop_reason == "interrupted")
        await questions.go_on(run)
        spec = await self._spec(project, agent, configuration, worktree, run, recorder, questions)
        available = runner.availability(spec.env, spec.command)
        if not available.ready:
            return Finished(error_type="runner_missing", error=available.missing)
        sandbox = sandbox_of_run(self.settings, project, agent, worktree, spec.env, available.program)
        unconfined = why_unconfined(self.settings, project, agent)
        prompt = await launch(self.claim, configuration, unconfined=unconfined)
        if prompt is None:
            await self._require_wanted()
            return Rested()
        if questions.begin_anew or (run.cause in NEEDS_THE_PAST and spec.resume is None):
            prompt = await retold(self.claim, prompt)
        prompt = with_instructions(prompt, configuration, agent.config, is_new=spec.resume is None)
        self._live = await runner.start(msgspec.structs.replace(spec, prompt=prompt, sandbox=sandbox))
        await patiently(self.heed)  # A pause may have been asked for before there was anything to pause.
        if self._stop_reason:
            await self._live.stop(self._stop_reason)
        return await self._listen(self._live, recorder, questions)

    async def _require_wanted(self) -> RunRow:
        """The run, unless somebody asked for its end before its program began."""
        run = await get_run(self.claim.run_id)
        if run.stop_requested and self._stop_reason is None:
            self._stop_reason = run.stop_requested
        if self._stop_reason:
            raise SetupFailed(f"The run was stopped {'while it rested' if run.rests else 'before its program began'}.")
        return run

    async def _prepare(self, project: ProjectRow) -> WorktreeRow:
        task = await self._task()
        worktree = await get_worktree(self.claim.worktree_id)
        run = await self._require_wanted()  # Last: who stops it from here on finds the task to cancel.
        env = run_environment(self.settings, project, task, worktree, run)
        making = prepare(self.claim.worktree_id, env, settings=self.settings, project=project)
        self._setup = asyncio.create_task(making)
        try:
            return await self._setup
        except asyncio.CancelledError:
            if self._stop_reason is None:
                raise
            raise SetupFailed("The run was stopped while its worktree was set up.") from None
        finally:
            self._setup = None

    async def _configured(self, project: ProjectRow, agent: AgentRow) -> Configuration:
        worktree = await get_worktree(self.claim.worktree_id)
        return await configured(self.settings, project, agent, await self._task(), worktree)

    async def _task(self) -> TaskRow | None:
        return await get_task(self.claim.task_id) if self.claim.task_id is not None else None

    async def _spec(
        self,
        project: ProjectRow,
        agent: AgentRow,
        configuration: Configuration,
        worktree: WorktreeRow,
        run: RunRow,
        recorder: Recorder,
        questions: Questions,
    ) -> RunSpec:
        self._state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        env = run_environment(self.settings, project, await self._task(), worktree, run)
        return RunSpec(
            run_id=run.id,
            cwd=await folder_of_run(project, worktree),
            prompt=run.prompt,
            env=env,
            state_dir=self._state_dir,
            next_message=partial(self._next_message, recorder),
            ask=questions.ask,
            retell=self._retelling(configuration, agent),
            **chosen_for(agent, configuration),
            **await limits_of(configuration, agent, run),
            **await left_from_before(run),
        )

    def _retelling(self, configuration: Configuration, agent: AgentRow) -> Callable[[str], Awaitable[str]]:
        async def retell(prompt: str) -> str:
            return with_instructions(await retold(self.claim, prompt), configuration, agent.config, is_new=True)

        return retell

    async def _next_message(self, recorder: Recorder) -> str | None:
        message = await next_queued(self.claim.session_id, self._handed)
        if message is None:
            return None
        self._handed.add(message.id)
        recorder.expect(message)
        return message.text

    async def _listen(self, live: LiveRun, recorder: Recorder, questions: Questions) -> Finished | Rested:
        ending: Finished | Rested = Finished(error_type="process_exit", error="The program ended without saying how.")
        async for batch in batches(measured(live.events())):
            ending = next((event for event in batch if isinstance(event, Finished | Rested)), ending)
            heard = [event for event in batch if event is not ending]
            await recorder.write(heard, ends=len(heard) < len(batch))
            await questions.heed(batch)
        return ending
