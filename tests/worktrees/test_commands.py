"""Which commands install the dependencies of a new worktree."""

from pathlib import Path

import pytest

from app.worktrees.commands import INSTALLERS, Command, guess_install


def programs(folder: Path, *names: str) -> str:
    """A PATH on which just these programs are."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(("lock_file", "commands"), INSTALLERS, ids=[name for name, _ in INSTALLERS])
def test_the_lock_file_decides(tmp_path: Path, lock_file: str, commands: tuple[Command, ...]) -> None:
    path = programs(tmp_path / "bin", commands[0][0])
    (tmp_path / lock_file).write_text("")
    assert guess_install(tmp_path, path) == (commands, "")


def test_yarn_2_and_later_take_another_switch(tmp_path: Path) -> None:
    (tmp_path / "yarn.lock").write_text("# generated\n\n__metadata:\n  version: 8\n")
    assert guess_install(tmp_path, programs(tmp_path / "bin", "yarn"))[0] == (("yarn", "install", "--immutable"),)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text("")
    commands, why = guess_install(tmp_path, programs(tmp_path / "bin"))
    assert (commands, why) == ((), "poetry.lock is there, but the program poetry is not on this machine.")


def test_nothing_to_install(tmp_path: Path) -> None:
    assert guess_install(tmp_path, "/usr/bin") == ((), "No lock file was found.")
