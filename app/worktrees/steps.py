"""The four steps that make a worktree. Each can be done again, and does then only what is missing."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from app.git.refusals import GitRefused
from app.git.repository import Repository, branch_oid
from app.git.worktrees import add, attach, hide
from app.projects.rows import ProjectRow
from app.settings import Settings
from app.worktrees.commands import CommandFailed, Tell, guess_install, run_command
from app.worktrees.env_files import copy_env_files, patterns_of
from app.worktrees.rows import StepName, StepStatus, WorktreeRow
from app.worktrees.sandboxing import sandbox_for

#: What a step leaves behind: its status and its log.
Outcome = tuple[StepStatus, str]


class Site(Struct, frozen=True):
    """Where a step works, and what it is given."""

    worktree: WorktreeRow
    project: ProjectRow
    repository: Repository
    #: The project's folder inside the worktree.
    folder: Path
    env: Mapping[str, str]
    #: Is handed what a command has printed so far.
    tell: Tell
    #: What the server was started with; None confines nothing.
    settings: Settings | None = None

    async def run(self, argv: tuple[str, ...], seconds: float) -> str:
        """Run a command in the folder, behind the walls that an agent there has: it is the agent's code by then."""
        sandbox = self.settings and sandbox_for(self.settings, self.project, self.worktree, self.env, argv)
        return await run_command(argv, self.folder, self.env, seconds=seconds, tell=self.tell, sandbox=sandbox or None)


async def carry_out(name: StepName, site: Site) -> Outcome:
    """Do one step. Raises `GitRefused`, `GitError`, `CommandFailed` or `OSError` with what the log is to show."""
    match name:
        case "add":
            return await _add(site)
        case "env":
            return await _copy_env(site)
        case "deps":
            return await _install(site)
        case "init":
            return await _init(site)


async def _add(site: Site) -> Outcome:
    worktree, repository = site.worktree, site.repository
    worktree.root.parent.mkdir(parents=True, exist_ok=True)
    if worktree.root.parent.is_relative_to(site.project.root):
        await hide(repository, f"{worktree.root.parent.relative_to(site.project.root)}/")
    if await branch_oid(repository, worktree.branch) is not None and not worktree.root.exists():
        await attach(repository, worktree.root, worktree.branch, worktree.lock_reason)
        return "done", f"{worktree.branch} was there already and goes on in {worktree.path}"
    base = await branch_oid(repository, worktree.base_branch)
    if base is None:
        raise GitRefused("base_missing", f"There is no branch {worktree.base_branch} to start from.")
    await add(repository, worktree.root, worktree.branch, base, worktree.lock_reason)
    return "done", f"{worktree.branch} from {worktree.base_branch} ({base[:10]}) in {worktree.path}"


async def _copy_env(site: Site) -> Outcome:
    patterns = patterns_of(site.project.config.env_file)
    if not patterns:
        return "skipped", "No env files are set for this project."
    return "done", await copy_env_files(site.project.root, site.folder, patterns, site.worktree.root.parent)


async def _install(site: Site) -> Outcome:
    config = site.project.config
    chosen = config.install_command
    commands, why_not = ((chosen,), "") if chosen else guess_install(site.folder, site.env.get("PATH", os.defpath))
    if not commands:
        return "skipped", why_not
    printed = []
    for command in commands:
        output = await site.run(command, config.install_timeout)
        printed.append(f"$ {shlex.join(command)}\n{output}".strip())
    _keep_out_of_commits(site.folder / ".venv")
    return "done", "\n".join(printed)


def _keep_out_of_commits(environment: Path) -> None:
    """Older Pythons do not hide the virtual environments they make from git."""
    if environment.is_dir() and not environment.is_symlink() and not (environment / ".gitignore").exists():
        (environment / ".gitignore").write_text("*\n")


async def _init(site: Site) -> Outcome:
    config = site.project.config
    if not config.init_script:
        return "skipped", "No init script is set for this project."
    script = _inside(site.folder, config.init_script)
    if not script.is_file():
        raise CommandFailed(f"{config.init_script} is not a file of this repository.")
    argv = (str(script),) if os.access(script, os.X_OK) else ("sh", str(script))
    return "done", await site.run(argv, config.init_timeout)


def _inside(folder: Path, name: str) -> Path:
    """`name` below `folder`; a path that leads out of it is refused."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise CommandFailed(f"{name} lies outside of {folder}.")
    return path
