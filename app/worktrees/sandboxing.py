"""Which walls a program in a worktree gets: the agent's, and those of set-up steps and checks, which run the agent's
code as well."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from app.git.sharing import Record, log_folders, mounts_of, note_branch, require_record
from app.processes.sandbox import Limits, Mount, Sandbox, available, writable
from app.processes.system_files import programs, system
from app.projects.rows import ProjectConfig, ProjectRow
from app.projects.walls import standing
from app.settings import Settings
from app.worktrees.homes import home_of
from app.worktrees.rows import WorktreeRow

#: Signing needs keys, which are not there: an agent's commits are unsigned, whatever the person's own git does.
_GIT_VARIABLES = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "commit.gpgSign", "GIT_CONFIG_VALUE_0": "false"}


class SandboxMissing(Exception):
    """A sandbox is demanded and cannot be had; the message says why, and what helps."""


def sandbox_for(
    settings: Settings,
    project: ProjectRow,
    worktree: WorktreeRow,
    env: Mapping[str, str],
    command: Sequence[str] = (),
    *,
    agent: Literal["", "required"] = "",
    also: Sequence[Path] = (),
) -> Sandbox | None:
    """How `command` is confined in the worktree, with `also` as further folders of its own; None where it is not.

    Raises `SandboxMissing`, and `GitRefused` where the folder is no worktree of ours any more.
    """
    stands = standing(settings.sandbox, project.config, agent)
    if stands.mode == "off":
        return None
    if stands.has_walls:
        return _walls(settings, project, worktree, env, command, also)
    if stands.mode == "required":
        raise SandboxMissing(f"A sandbox is required. {stands.warning} Install bubblewrap, or change the setting.")
    return Sandbox(program="", limits=limits_of(project.config))


def limits_of(config: ProjectConfig) -> Limits:
    """As the project's settings have them."""
    return Limits(memory_mb=config.memory_limit_mb, processes=config.process_limit, file_mb=config.file_limit_mb)


def _walls(
    settings: Settings,
    project: ProjectRow,
    worktree: WorktreeRow,
    env: Mapping[str, str],
    command: Sequence[str],
    also: Sequence[Path],
) -> Sandbox:
    root = worktree.root.resolve()
    record = require_record(root)
    if record.branch != worktree.branch:
        note_branch(record, worktree.branch)
    hidden = (settings.data_dir, settings.data_dir.resolve())
    home = Path(env["HOME"]) if env.get("HOME", "").startswith("/") else None
    at_home = home_of(settings.data_dir / "homes" / project.id, home, env) if home else ()
    mounts = (
        *system(),
        *(each for each in programs(command, env) if _fits(each.place, (*hidden, root), at_home)),
        *at_home,
        *_around(root, record, home),
        *_opened(project.config.sandbox_readable, hidden, can_write=False),
        *_opened(project.config.sandbox_writable, hidden, can_write=True),
        *writable(*also),
        *_work(record, worktree),
    )
    return Sandbox(
        program=available().program,
        mounts=(*mounts, *_hiding(hidden, mounts)),
        limits=limits_of(project.config),
        home=home,
        forgotten=log_folders(record, worktree.branch),
        variables=_GIT_VARIABLES,
    )


def _work(record: Record, worktree: WorktreeRow) -> tuple[Mount, ...]:
    mounts = mounts_of(record, worktree.branch)
    if worktree.root == record.worktree:
        return mounts
    by_link = Mount(worktree.root, record.worktree, can_write=True)
    return (*mounts, by_link, Mount(worktree.root / ".git", record.worktree / ".git"))


def _around(root: Path, record: Record, home: Path | None) -> list[Mount]:
    """The project's own folder and that of the worktrees: empty, so that what is written there does not seem to be."""
    places = (root.parent, record.common_dir.parent if record.common_dir.name == ".git" else root.parent)
    open_ones = (Path("/tmp"), *([home] if home else []))  # noqa: S108 - the sandbox's own
    return [
        Mount(place, None)
        for place in dict.fromkeys(places)
        if not any(each.is_relative_to(place) for each in open_ones)
    ]


def _opened(texts: Sequence[str], hidden: Sequence[Path], *, can_write: bool) -> list[Mount]:
    """What the settings open, where it leads by now: an agent may have put a link to our data in its place since."""
    found = [(Path(text).expanduser(), Path(text).expanduser().resolve()) for text in texts]
    return [Mount(place, source, can_write) for place, source in found if not _within(source, hidden)]


def _hiding(hidden: Sequence[Path], mounts: Sequence[Mount]) -> list[Mount]:
    """Our own data, wherever it lies in what is shown, under whatever name."""
    places = [
        mount.place / each.relative_to(mount.source)
        for mount in mounts
        for each in hidden
        if mount.source is not None and each.is_relative_to(mount.source)
    ]
    return [Mount(place, None) for place in dict.fromkeys(places)]


def _fits(place: Path, elsewhere: Sequence[Path], at_home: Sequence[Mount]) -> bool:
    """Whether the folder of a program neither lies in our data or in the work, nor in the way of what is at home."""
    return not _within(place, elsewhere) and not any(mount.place.is_relative_to(place) for mount in at_home)


def _within(place: Path, folders: Sequence[Path]) -> bool:
    return any(place.is_relative_to(folder) for folder in folders)
