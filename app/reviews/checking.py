"""The checks before a merge: the repository's own hooks and the project's command, run where everybody sees them.

A merge itself runs no hook. Each result is bound to base and branch as they were: when one moves, it counts no more.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from app.clock import now
from app.configuration.holding import configuration_of, confined
from app.errors import Conflict
from app.events.recording import Actor, record
from app.git.diffs import changed_files, printable
from app.git.finishing import uninterrupted
from app.git.hooks import as_if_staged, hooks_of
from app.git.refs import tree_of
from app.git.refusals import GitError, GitRefused
from app.git.repository import inspect
from app.git.snapshots import snapshot
from app.ids import create_id
from app.postgres.patience import patiently
from app.postgres.reading import execute
from app.processes.redacting import Redactor
from app.processes.sandbox import Sandbox
from app.projects.locking import locked
from app.projects.rows import ProjectRow, get_project
from app.reviews.checks import CheckRow, results_of
from app.reviews.comparing import Comparison, compare, has_uncommitted
from app.reviews.merging import default_message
from app.reviews.saving import save_found
from app.reviews.tables import Check
from app.settings import Settings
from app.tasks import states
from app.tasks.rows import TaskRow, get_task
from app.worktrees.commands import CommandFailed, run_command
from app.worktrees.creating import task_folder
from app.worktrees.merging import give_back, hold_in_lock
from app.worktrees.rows import WorktreeRow
from app.worktrees.sandboxing import SandboxMissing, sandbox_for

#: Seconds that one check may take.
TIMEOUT_S = 900.0
#: The name of the project's own command among the checks; the others are called as their hooks are.
COMMAND = "command"


class Planned(Struct, frozen=True):
    """A check that the project wants."""

    name: str
    argv: tuple[str, ...]


class _Means(Struct, frozen=True):
    """With what checks run."""

    env: Mapping[str, str]
    settings: Settings | None

    def sandbox(self, project: ProjectRow, worktree: WorktreeRow, argv: tuple[str, ...], *also: Path) -> Sandbox | None:
        """How one is confined, with `also` as a folder of its own."""
        if self.settings is None:
            return None
        return sandbox_for(self.settings, project, worktree, self.env, argv, also=also)

    async def confined(self, project: ProjectRow, worktree: WorktreeRow) -> ProjectRow:
        """The project with the limits that hold, also by what its repository demands."""
        if self.settings is None:
            return project
        found = await configuration_of(self.settings, project, branch=worktree.base_branch)
        return confined(project, found)


async def planned(comparison: Comparison) -> list[Planned]:
    """The project's checks, in the order in which they run."""
    config = (await get_project(comparison.worktree.project_id)).config
    hooks = await hooks_of(comparison.root) if config.run_hooks else {}
    wanted = [Planned(name, (str(path),)) for name, path in hooks.items()]
    return [*wanted, Planned(COMMAND, config.check_command)] if config.check_command else wanted


async def state_of_checks(comparison: Comparison) -> list[tuple[str, CheckRow | None]]:
    """Each wanted check with its newest result for exactly this base and branch; None where it has not run."""
    done = await results_of(str(comparison.worktree.task_id), comparison.base, comparison.head)
    return [(each.name, done.get(each.name)) for each in await planned(comparison)]


async def speaking_against(comparison: Comparison) -> tuple[str, ...]:
    """What speaks against a merge, as sentences without their full stop; empty when nothing does."""
    left = [f"conflict left in {path}" for path in comparison.unresolved]
    checks = await state_of_checks(comparison)
    missing = [f"check {name} has not run on this change" for name, check in checks if check is None]
    failed = [f"check {name} {_STATES[check.status]}" for name, check in checks if check and check.status != "passed"]
    return (*left, *failed, *missing)


_STATES = {"running": "is running", "failed": "failed", "error": "was cut off"}


async def run_checks(
    task_id: str, actor: Actor, env: Mapping[str, str], settings: Settings | None = None, *, only_missing: bool = False
) -> None:
    """Run the checks of a task that waits for approval, one after the other, in its worktree; `env` is all they see.

    `settings` say whether they run in a sandbox, since it is an agent's code that they run; without them they do not.

    409 when there are none, or when somebody decides on the task, or checks it, right now.
    """
    task = await get_task(task_id)
    states.after(task.column, "approve")
    comparison = await compare(task)
    if not await planned(comparison):
        raise Conflict("This project has no checks. Its settings can name a command, or turn its hooks on.")
    async with locked(task.project_id):
        states.after((await get_task(task_id)).column, "approve")
        await hold_in_lock(comparison.worktree, actor)
    try:
        comparison = await _saved(task, comparison)
        done = dict(await state_of_checks(comparison)) if only_missing else {}
        for check in await planned(comparison):
            if done.get(check.name) is None:
                await _run(task, comparison, check, actor, _Means(env, settings))
    finally:
        await uninterrupted(patiently(lambda: give_back(comparison.worktree)))


async def check_before(
    task_id: str, digest: str, actor: Actor, env: Mapping[str, str], settings: Settings | None = None
) -> None:
    """Before an approval of `digest`: run what has not run yet on exactly that."""
    task = await get_task(task_id)
    states.after(task.column, "approve")
    comparison = await compare(task)
    if digest != comparison.digest or comparison.conflicts or comparison.nothing_to_merge:
        return
    if any(row is None for _, row in await state_of_checks(comparison)):
        await run_checks(task_id, actor, env, settings, only_missing=True)


async def _saved(task: TaskRow, comparison: Comparison) -> Comparison:
    """Checked is what could be merged: a file that no commit has is committed before."""
    if not await has_uncommitted(comparison):
        return comparison
    await save_found(task, comparison.worktree)
    return await compare(task)


async def _run(task: TaskRow, comparison: Comparison, check: Planned, actor: Actor, means: _Means) -> None:
    check_id = await _begin(task, comparison, check, actor)
    clean = Redactor(means.env)
    try:
        printed = await _carry_out(task, comparison, check, means)
    except (CommandFailed, GitRefused, GitError, SandboxMissing, OSError) as failure:
        await _end(task, check_id, check, "failed", clean.text(str(failure)), actor)
    except asyncio.CancelledError:
        await uninterrupted(patiently(lambda: _end(task, check_id, check, "error", "It was cut off.", actor)))
        raise
    else:
        await _end(task, check_id, check, "passed", clean.text(printed), actor)


async def _carry_out(task: TaskRow, comparison: Comparison, check: Planned, means: _Means) -> str:
    root, project = comparison.root, await means.confined(await get_project(task.project_id), comparison.worktree)
    if check.name == COMMAND:
        folder = task_folder(comparison.worktree, await inspect(project.root))
        sandbox = means.sandbox(project, comparison.worktree, check.argv)
        printed = await run_command(check.argv, folder, means.env, seconds=TIMEOUT_S, sandbox=sandbox)
    else:
        async with as_if_staged(root, await tree_of(root, comparison.head), comparison.fork) as staged:
            argv = (*check.argv, *_arguments(task, check, Path(staged["GIT_DIR"])))
            sandbox = means.sandbox(project, comparison.worktree, check.argv, Path(staged["GIT_DIR"]))
            env = {**means.env, **staged}
            printed = await run_command(argv, root, env, seconds=TIMEOUT_S, sandbox=sandbox)
    await _require_untouched(comparison, printed)
    return printed


def _arguments(task: TaskRow, check: Planned, folder: Path) -> tuple[str, ...]:
    if check.name != "commit-msg":
        return ()
    (folder / "COMMIT_EDITMSG").write_text(default_message(task, "AgentPane") + "\n")
    return (str(folder / "COMMIT_EDITMSG"),)


async def _require_untouched(comparison: Comparison, printed: str) -> None:
    """A hook that formats files has checked something else than what is there now."""
    tree = (await snapshot(comparison.root)).tree
    changed = [printable(each.path) for each in await changed_files(comparison.root, comparison.tree, tree)]
    if changed:
        names = ", ".join(changed[:10])
        raise CommandFailed(f"{printed}\nIt changed files, which the review now shows: {names}".strip())


async def _begin(task: TaskRow, comparison: Comparison, check: Planned, actor: Actor) -> str:
    check_id = create_id()
    await Check.insert(
        Check(
            id=check_id,
            project_id=task.project_id,
            task_id=task.id,
            name=check.name,
            base_oid=comparison.base,
            head_oid=comparison.head,
            started_by=actor.name,
        )
    )
    return check_id


async def _end(task: TaskRow, check_id: str, check: Planned, status: str, log: str, actor: Actor) -> None:
    async with locked(task.project_id):
        await Check.update({Check.status: status, Check.log: log, Check.completed_at: now()}).where(
            Check.id == check_id
        )
        payload = {"check": check.name, "status": status}
        await record(task.project_id, "task.checked", actor=actor, subject=task.id, payload=payload)


async def cut_off_checks() -> None:
    """After a start: what was running when the server went away has no result."""
    await execute(
        "UPDATE checks SET status = 'error', log = 'The server stopped while it ran.', completed_at = now()"
        " WHERE status = 'running'"
    )
