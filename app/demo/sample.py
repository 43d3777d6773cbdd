"""The sample repository of the demo, made by real commits from `sample.toml`."""

import shutil
import tomllib
from pathlib import Path

import msgspec
from msgspec import Struct

from app.git.running import git

NAME = "pocketbook"

_SOURCE = Path(__file__).parent / "sample.toml"


class _Commit(Struct, frozen=True):
    message: str
    #: `Name <address>`.
    author: str
    date: str
    files: dict[str, str]


async def make_sample(path: Path) -> Path:
    """The repository at `path`: made when it is not there; one that is there stays as it is."""
    if path.exists():
        return path
    unfinished = path.with_name(f"{path.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    await git(unfinished, "init", "--quiet", "--initial-branch=main", "--template=")
    for commit in _commits():
        await _make(unfinished, commit)
    unfinished.rename(path)
    return path


def _commits() -> list[_Commit]:
    return msgspec.convert(tomllib.loads(_SOURCE.read_text())["commits"], list[_Commit])


async def _make(repository: Path, commit: _Commit) -> None:
    for name, content in commit.files.items():
        file = repository / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    await git(repository, "add", "--all")
    await git(repository, "commit", "--quiet", "--message", commit.message, env=_signature(commit))


def _signature(commit: _Commit) -> dict[str, str]:
    name, _, address = commit.author.rstrip(">").partition(" <")
    return {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", name), ("EMAIL", address), ("DATE", commit.date))
    }
