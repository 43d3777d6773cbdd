"""Copy env files of the project's own folder into a worktree: what git does not carry, and must never commit."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from app.git.ignoring import ignored, tracked
from app.worktrees.commands import CommandFailed

_GLOB = "*?["
#: Files that one project may copy: a pattern that finds more is a mistake.
LIMIT = 200


def patterns_of(text: str | None) -> tuple[str, ...]:
    """The comma separated patterns of the setting `envFile`."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def matching(root: Path, patterns: Sequence[str], but_not: Path) -> list[str]:
    """The files below `root` that the patterns name, as relative paths; none in `.git` or below `but_not`.

    A link counts as the file it leads to, and one that leads out of `root` is left out.
    """
    found: dict[str, None] = {}
    inside = root.resolve()
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and path.resolve().is_relative_to(inside) and _counts(path, root, but_not):
                found[path.relative_to(root).as_posix()] = None
    return list(found)


def _counts(path: Path, root: Path, but_not: Path) -> bool:
    return ".git" not in path.relative_to(root).parts and not path.is_relative_to(but_not)


async def copy_env_files(root: Path, folder: Path, patterns: Sequence[str], but_not: Path) -> str:
    """Copy what matches from `root` to `folder` with its mode, and return what was done, a line a file.

    Raises `CommandFailed`: a plain name that is no file, too many files, or a file that git does not ignore, since
    the agent's next commit would carry it.
    """
    names = matching(root, patterns, but_not)
    if missing := [pattern for pattern in patterns if not set(pattern) & set(_GLOB) and pattern not in names]:
        raise CommandFailed(f"{missing[0]} is not a file in {root}.")
    if len(names) > LIMIT:
        raise CommandFailed(f"The patterns match {len(names)} files; {LIMIT} are the limit.")
    ours = await tracked(folder, names)
    wanted = [name for name in names if name not in ours]
    if open_ones := [name for name in wanted if name not in await ignored(folder, wanted)]:
        raise CommandFailed(f"{open_ones[0]} is not ignored by git, so it would be committed. Add it to .gitignore.")
    for name in wanted:
        _copy(root / name, folder / name)
    told = [f"{name} was copied with its mode." for name in wanted]
    told += [f"{name} is part of the repository, so it is there already." for name in names if name in ours]
    return "\n".join(told) or "No file matches."


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copy(source, target)
