"""Env files come from the project's own folder, keep their mode, and never come into a commit."""

from pathlib import Path

import pytest

from app.worktrees.commands import CommandFailed
from app.worktrees.env_files import copy_env_files, matching, patterns_of
from tests.git.repositories import commit, make_repository, user, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository that ignores its env files, two of which are there."""
    root = make_repository(tmp_path / "wheelwright")
    commit(root, {".gitignore": ".env*\n.worktrees/\n", "apps/web/index.html": "", "settings.json": "{}"})
    write(root, {".env": "KEY=1\n", "apps/web/.env.local": "PORT=1\n", "notes.txt": "mine\n"})
    (root / ".env").chmod(0o600)
    return root


@pytest.fixture
def folder(root: Path) -> Path:
    """A worktree of it."""
    user(root, "worktree", "add", "-q", ".worktrees/one", "-b", "one")
    return root / ".worktrees" / "one"


async def copy(root: Path, folder: Path, text: str) -> str:
    return await copy_env_files(root, folder, patterns_of(text), root / ".worktrees")


async def test_files_and_patterns_are_copied_with_their_mode(root: Path, folder: Path) -> None:
    told = await copy(root, folder, ".env, **/.env.*")
    assert told.splitlines() == [".env was copied with its mode.", "apps/web/.env.local was copied with its mode."]
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    assert (folder / "apps/web/.env.local").read_text() == "PORT=1\n"
    assert user(folder, "status", "--porcelain") == ""
    # Doing it again takes what has changed since.
    (root / ".env").write_text("KEY=2\n")
    await copy(root, folder, ".env")
    assert (folder / ".env").read_text() == "KEY=2\n"


async def test_a_pattern_may_find_nothing(root: Path, folder: Path) -> None:
    assert await copy(root, folder, "*.pem") == "No file matches."


async def test_a_name_must_be_a_file(root: Path, folder: Path) -> None:
    with pytest.raises(CommandFailed, match=r"\.env\.prod is not a file in"):
        await copy(root, folder, ".env.prod")


async def test_what_git_would_commit_is_not_copied(root: Path, folder: Path) -> None:
    with pytest.raises(CommandFailed, match=r"notes\.txt is not ignored by git"):
        await copy(root, folder, ".env, notes.txt")
    assert not (folder / ".env").exists()


async def test_what_the_repository_has_stays_as_it_is(root: Path, folder: Path) -> None:
    write(root, {"settings.json": '{"local": true}'})
    assert (
        await copy(root, folder, "settings.json") == "settings.json is part of the repository, so it is there already."
    )
    assert (folder / "settings.json").read_text() == "{}"


def test_links_that_lead_out_and_other_worktrees_are_left_out(root: Path, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("theirs")
    (root / ".env.link").symlink_to(tmp_path / "secret")
    (folder / ".env").write_text("of another task")
    assert matching(root, ["**/.env*"], root / ".worktrees") == [".env", "apps/web/.env.local"]
