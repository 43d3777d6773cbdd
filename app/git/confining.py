"""Our own git in a worktree where an agent is at work runs behind the same walls as the agent.

What lies there is the agent's: nested repositories with filters of their own, links in the place of git's files, a HEAD
that names another branch. Whatever our git is made to do by them, it can do no more than the agent could. Commands that
only look at commits need no walls: they start nothing and write nothing. Whatever writes an index needs them: git then
looks again at files that have just changed, through their filters.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.git.sharing import Record, log_folders, mounts_of, record_of
from app.processes.sandbox import Mount, Sandbox, available, readable, writable
from app.processes.system_files import on_path, system_for_git

_HARMLESS = {
    "rev-parse", "rev-list", "merge-base", "cat-file", "config", "log", "diff-tree", "for-each-ref", "show-ref",
    "check-ref-format", "check-ignore", "version", "ls-tree", "ls-files", "grep", "commit-tree", "worktree",
}  # fmt: skip
_CONFIGURATION = (".gitconfig", ".config/git")
_NAMED_CONFIGURATION = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")


def confinement(cwd: Path, args: Sequence[object], env: Mapping[str, str]) -> Sandbox | None:
    """How git with `args` must be confined in `cwd`; None where it need not, or cannot, be."""
    if _is_harmless(_command(args), args):
        return None
    found = available()
    record = _around(cwd) if found.program else None
    branch = record and record.branch
    if record is None or not branch:
        return None
    mounts = (*_mounts(record, branch, env), *_beside_all(record, branch, _command(args)))
    return Sandbox(program=found.program, mounts=mounts, home=_home(env), has_proc=False)


def _is_harmless(command: str, args: Sequence[object]) -> bool:
    """Whether it follows nothing that an agent can put there: our own refs lie where no agent writes."""
    if command == "update-ref":
        return any(str(word).startswith("refs/agentpane/") for word in args)
    return command in _HARMLESS or (command == "symbolic-ref" and "--quiet" in args)


def _command(args: Sequence[object]) -> str:
    """The first word that is neither a switch nor the setting after `-c`."""
    words = iter(args)
    for word in words:
        if word == "-c":
            next(words)
        elif not str(word).startswith("-"):
            return str(word)
    return ""


def _around(cwd: Path) -> Record | None:
    top = next((folder for folder in (cwd, *cwd.parents) if os.path.lexists(folder / ".git")), None)
    return record_of(top) if top is not None else None


def _mounts(record: Record, branch: str, env: Mapping[str, str]) -> tuple[Mount, ...]:
    home = _home(env)
    named = [Path(env[name]) for name in _NAMED_CONFIGURATION if env.get(name, "").startswith("/")]
    own = [home / name for name in _CONFIGURATION] if home else []
    index = [Path(env["GIT_INDEX_FILE"]).parent] if "GIT_INDEX_FILE" in env else []
    return (
        *system_for_git(),
        *on_path(env),
        *readable(*own, *(path for path in named if path.is_file())),
        *mounts_of(record, branch),
        *writable(*log_folders(record, branch), *(folder for folder in index if folder != record.folder)),
    )


def _beside_all(record: Record, branch: str, command: str) -> tuple[Mount, ...]:
    """A branch without a folder of its own lies among all others: what moves it may write there, and starts nothing."""
    if log_folders(record, branch) or command not in ("update-ref", "symbolic-ref"):
        return ()
    return writable(record.common_dir / "refs/heads", record.common_dir / "logs/refs/heads")


def _home(env: Mapping[str, str]) -> Path | None:
    return Path(env["HOME"]) if env.get("HOME", "").startswith("/") else None
