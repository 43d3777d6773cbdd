"""Make a worktree through its four recorded steps: add, env, deps, init. Doing it again does only what is missing."""

import asyncio
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from app.clock import now
from app.errors import DomainError
from app.events.recording import SYSTEM, Actor, record
from app.git.refusals import GitError, GitRefused
from app.git.repository import Repository, inspect
from app.postgres.reading import execute
from app.processes.redacting import Redactor
from app.projects.locking import locked
from app.projects.rows import ProjectRow, get_project
from app.settings import Settings
from app.worktrees.commands import CommandFailed
from app.worktrees.rows import STEPS, StepName, StepStatus, WorktreeRow, get_worktree, steps_of
from app.worktrees.sandboxing import SandboxMissing
from app.worktrees.states import WorktreeEvent, change
from app.worktrees.steps import Site, carry_out
from app.worktrees.tables import Worktree, WorktreeStep

#: The worktrees that this process is making just now.
MAKING: set[str] = set()

_COLUMN = {"env": Worktree.env_copied, "deps": Worktree.deps_installed, "init": Worktree.init_script_run}


class SetupFailed(DomainError):
    """A step failed; its log is kept, and trying again goes on there."""

    default_code = "SETUP_FAILED"


async def prepare(
    worktree_id: str,
    env: Mapping[str, str],
    *,
    settings: Settings | None = None,
    project: ProjectRow | None = None,
    steps: Collection[StepName] = STEPS,
    actor: Actor = SYSTEM,
) -> WorktreeRow:
    """Carry out those of `steps` that are not done; the worktree is `active` afterwards. Raises `SetupFailed`.

    `settings` say whether what the repository brings runs in a sandbox; without them it does not. `project` has the
    limits that hold, where these are not the project's own.
    """
    MAKING.add(worktree_id)
    try:
        return await _prepare(worktree_id, env, settings, project, steps, actor)
    finally:
        MAKING.discard(worktree_id)


async def _prepare(
    worktree_id: str,
    env: Mapping[str, str],
    settings: Settings | None,
    project: ProjectRow | None,
    steps: Collection[StepName],
    actor: Actor,
) -> WorktreeRow:
    worktree = await get_worktree(worktree_id)
    await _begin_again(worktree, actor)
    missing = [step.name for step in await steps_of(worktree_id) if step.status not in ("done", "skipped")]
    try:
        for name in missing:
            if name in steps:
                await _carry_out(name, worktree, project or await get_project(worktree.project_id), env, settings)
    except asyncio.CancelledError:
        await cut_off(worktree, "Stopped before it was done.")
        raise
    await _finish(worktree, actor)
    return await get_worktree(worktree_id)


async def _begin_again(worktree: WorktreeRow, actor: Actor) -> None:
    """From `error` the missing steps are carried out; where the folder is gone, whoever took it, every step is."""
    is_gone = not worktree.root.exists()
    async with locked(worktree.project_id):
        status = (await get_worktree(worktree.id)).status
        if status == "error" or (status == "active" and is_gone):
            await change(worktree, "make", actor=actor)
            if is_gone:
                await execute(
                    "UPDATE worktree_steps SET status = 'pending', log = NULL, started_at = NULL, completed_at = NULL"
                    " WHERE worktree_id = $1",
                    worktree.id,
                )


async def _finish(worktree: WorktreeRow, actor: Actor) -> None:
    async with locked(worktree.project_id):
        if (await get_worktree(worktree.id)).status != "active":
            await change(worktree, "finish", actor=actor)


async def cut_off(worktree: WorktreeRow, why: str) -> None:
    """Write that the making of a worktree ended in the middle of a step; trying again goes on there."""
    async with locked(worktree.project_id):
        await execute(
            "UPDATE worktree_steps SET status = 'error', log = $2, completed_at = now()"
            " WHERE worktree_id = $1 AND status = 'running'",
            worktree.id,
            why,
        )
        await change(worktree, "fail", error=why)


def task_folder(worktree: WorktreeRow, repository: Repository) -> Path:
    """Where an agent works: the project's folder inside the worktree, which holds the whole repository."""
    return worktree.root / repository.prefix if repository.prefix else worktree.root


async def _carry_out(
    name: StepName, worktree: WorktreeRow, project: ProjectRow, env: Mapping[str, str], settings: Settings | None
) -> None:
    clean = Redactor(env)
    await _write_step(worktree, name, "running", None)
    try:
        repository = await inspect(project.root)
        folder = task_folder(worktree, repository)
        tell = partial(_write_log, worktree, name, clean)
        status, log = await carry_out(name, Site(worktree, project, repository, folder, env, tell, settings))
    except (GitRefused, GitError, CommandFailed, SandboxMissing, OSError) as failure:
        error = clean.text(str(failure))
        await _write_step(worktree, name, "error", error)
        # The step's log has the rest.
        await _change(worktree, "fail", error.splitlines()[-1] if error else None)
        raise SetupFailed(f"Step '{name}' of the worktree failed: {error}") from failure
    await _write_step(worktree, name, status, clean.text(log))


async def _write_log(worktree: WorktreeRow, name: StepName, clean: Redactor, text: str) -> None:
    """What a step has printed so far: for whoever looks at the page, and for after a crash."""
    await execute(
        "UPDATE worktree_steps SET log = $3 WHERE worktree_id = $1 AND name = $2 AND status = 'running'",
        worktree.id,
        name,
        clean.text(text),
    )


async def _write_step(worktree: WorktreeRow, name: StepName, status: StepStatus, log: str | None) -> None:
    async with locked(worktree.project_id):
        values: dict[Any, Any] = {WorktreeStep.status: status, WorktreeStep.log: log}
        values[WorktreeStep.started_at if status == "running" else WorktreeStep.completed_at] = now()
        await WorktreeStep.update(values).where((WorktreeStep.worktree_id == worktree.id) & (WorktreeStep.name == name))
        if name in _COLUMN and status == "done":
            await Worktree.update({_COLUMN[name]: True}).where(Worktree.id == worktree.id)
        await record(
            worktree.project_id, "worktree.step", actor=SYSTEM, subject=worktree.task_id,
            payload={"worktree": worktree.id, "step": name, "status": status},
        )  # fmt: skip


async def _change(worktree: WorktreeRow, event: WorktreeEvent, error: str | None = None) -> None:
    async with locked(worktree.project_id):
        await change(worktree, event, error=error)
