"""One trial: a worktree is made, the agent's program is asked one line there, and nothing of both is left."""

import asyncio
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from app.agents.rows import AgentRow
from app.clock import now
from app.configuration.holding import confined
from app.configuration.sources import Configuration
from app.git.finishing import uninterrupted
from app.git.refusals import GitError, GitRefused
from app.git.repository import Repository, branch_oid, inspect
from app.git.scratch import branch_for, discard_scratch, make_scratch
from app.ids import create_id
from app.processes import trees
from app.processes.redacting import Redactor
from app.processes.sandbox import Sandbox
from app.projects.rows import ProjectRow
from app.runners.base import ErrorType, Finished, LiveRun, Rested, RunSpec
from app.runners.measuring import measured
from app.runners.presets import preset_of
from app.runners.registry import RUNNERS
from app.runs.configured import configured
from app.runs.specifying import chosen_for, sandbox_of_run, why_unconfined
from app.runs.wording import with_instructions
from app.settings import Settings
from app.trials.hearing import Hearing
from app.trials.views import Outcome
from app.worktrees.creating import SetupFailed, task_folder
from app.worktrees.rows import WorktreeRow

log = logging.getLogger(__name__)

#: Seconds that a trial may take, and for which its program may say nothing.
TRY_S = 120.0
SILENT_S = 60.0
#: Seconds after which a trial is given up whose program did not even end when it was made to.
_GIVEN_UP_S = TRY_S + 30.0
_MOST_TURNS = 10


class Trial:
    """One trial, at work in a task of its own from the beginning. It ends whatever happens."""

    def __init__(self, settings: Settings, project: ProjectRow, agent: AgentRow, prompt: str) -> None:
        self.id = create_id()
        self._settings, self._project, self._agent, self._prompt = settings, project, agent, prompt
        self._env = self._environment()
        preset = preset_of(agent.config.runner, agent.config.command)
        clean = Redactor(settings.agent_environment)
        self._hearing = Hearing(prompt, str(self._path), clean, preset.sign_in.how if preset else "")
        self._repository: Repository | None = None
        self._live: LiveRun | None = None
        self._stop_reason: ErrorType | None = None
        self.task = asyncio.create_task(self._run(), name=f"trial {self.id}")

    def outcome(self) -> Outcome:
        """How it stands now; once it is over, nothing of it is left."""
        return self._hearing.outcome()

    async def stop(self, reason: ErrorType = "stopped") -> None:
        """End it, and wait until nothing of it is left."""
        self._stop_reason = self._stop_reason or reason
        if self._live is not None:
            await self._live.stop(self._stop_reason)
        await asyncio.wait([self.task])

    async def _run(self) -> None:
        finished = Finished(error_type="interrupted")
        try:
            async with asyncio.timeout(_GIVEN_UP_S):
                finished = await self._try()
        except (SetupFailed, GitRefused, GitError, OSError) as error:
            finished = Finished(error_type="setup_failed", error=str(error))
        except TimeoutError:
            finished = Finished(error_type="timeout")
        except Exception as error:
            log.error("the trial of agent %s failed in our own code", self._agent.id, exc_info=error)
            finished = Finished(error_type="setup_failed", error=f"AgentPane failed: {error}")
        finally:
            await uninterrupted(self._clear_away())
            self._hearing.end(finished)

    async def _try(self) -> Finished:
        config = self._agent.config
        runner = RUNNERS.get(config.runner)
        if runner is None:
            return Finished(error_type="runner_missing", error=f"This version has no runner '{config.runner}'.")
        available = runner.availability(self._env, config.command)
        if not available.ready:
            return Finished(error_type="runner_missing", error=available.missing)
        worktree, folder = await self._make()
        configuration = await configured(self._settings, self._project, self._agent, None, worktree)
        project = confined(self._project, configuration)
        sandbox = sandbox_of_run(self._settings, project, self._agent, worktree, self._env, available.program)
        self._hearing.unconfined = why_unconfined(self._settings, project, self._agent)
        spec = self._spec(configuration, folder, sandbox)
        if self._stop_reason:
            return Finished(error_type=self._stop_reason)
        self._live = await runner.start(spec)
        return await self._listen(self._live)

    def _spec(self, configuration: Configuration, folder: Path, sandbox: Sandbox | None) -> RunSpec:
        self._state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return RunSpec(
            run_id=self.id,
            cwd=folder,
            prompt=with_instructions(self._prompt, configuration, self._agent.config, is_new=True),
            env=self._env,
            state_dir=self._state_dir,
            sandbox=sandbox,
            timeout_s=TRY_S,
            idle_timeout_s=SILENT_S,
            max_turns=min(configuration.number("maxTurns") or _MOST_TURNS, _MOST_TURNS),
            **chosen_for(self._agent, configuration),
        )

    async def _listen(self, live: LiveRun) -> Finished:
        if self._stop_reason:
            await live.stop(self._stop_reason)
        async for event in measured(live.events()):
            if isinstance(event, Finished | Rested):
                return event if isinstance(event, Finished) else Finished(usage=event.usage)
            self._hearing.hear(event)
        return Finished(error_type="process_exit", error="The program's events ended without an ending.")

    async def _make(self) -> tuple[WorktreeRow, Path]:
        """The scratch worktree, as the row that no table has, and the folder in it where the program works."""
        base_branch = self._project.config.default_branch
        self._repository = await inspect(self._project.root)
        base = await branch_oid(self._repository, base_branch)
        if base is None:
            raise GitRefused("base_missing", f"There is no branch {base_branch} to start from.")
        await make_scratch(self._repository, self._path, self.id, base)
        row = WorktreeRow(
            id=self.id, project_id=self._project.id, task_id=None, branch=branch_for(self.id), base_branch=base_branch,
            path=str(self._path), status="active", last_error=None, number=None, created_at=now(), merged_at=None,
            removed_at=None,
        )  # fmt: skip
        return row, task_folder(row, self._repository)

    async def _clear_away(self) -> None:
        """First the processes, then the files they worked on. What cannot be taken away, the next start tries again."""
        if self._live is not None:
            await self._live.stop("interrupted")
        await trees.sweep(self.id)
        if self._repository is not None:
            try:
                await discard_scratch(self._repository, self._path, self.id)
            except (GitRefused, GitError, OSError) as error:
                log.warning("the scratch worktree %s stays until the next start: %s", self._path, error)
        await asyncio.to_thread(shutil.rmtree, self._state_dir, ignore_errors=True)

    @property
    def _path(self) -> Path:
        root = Path(self._project.config.worktree_root).expanduser()
        return (root if root.is_absolute() else self._project.root / root) / f"try-{self.id[:8]}"

    @property
    def _state_dir(self) -> Path:
        return self._settings.data_dir / "runs" / self.id

    def _environment(self) -> Mapping[str, str]:
        return {
            **self._settings.agent_environment,
            "AGENTPANE_RUN_ID": self.id,
            "AGENTPANE_PROJECT_ID": self._project.id,
            "AGENTPANE_WORKTREE": str(self._path),
            "AGENTPANE_BRANCH": branch_for(self.id),
            "AGENTPANE_ATTEMPT": "1",
        }
