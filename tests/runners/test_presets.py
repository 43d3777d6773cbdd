"""The known programs: whose agent it is, whether it is signed in, and which version it tells, without running much."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from app.processes import trees
from app.runners.presets import PRESETS, preset_of, versions
from app.runners.presets.known import CLAUDE_SIGN_IN
from app.runners.presets.signing_in import look_for
from app.runners.presets.versions import versions as ask


def program(folder: Path, name: str, script: str) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_each_preset_is_found_again_by_its_command() -> None:
    assert len({preset.id for preset in PRESETS}) == len(PRESETS)
    for preset in PRESETS:
        assert preset_of(preset.runner, preset.words) == preset
    assert preset_of("command", ("/opt/tools/codex", "exec", "--json")).id == "codex"
    assert preset_of("command", ("./codex.sh",)) is None
    assert preset_of("command", ()) is None


async def test_versions_are_asked_all_at_once_without_our_environment(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    codex = program(tmp_path, "codex", f'env > {seen}; echo "note 1.5" >&2; echo "codex-cli 0.169.0-beta.1"')
    other = program(tmp_path, "other", "echo 'Version: v12.4 (Other)'")
    broken = program(tmp_path, "broken", "echo 1.2.3; exit 1")
    silent = program(tmp_path, "silent", "echo hello")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OPENAI_API_KEY": "s3cret", "OPENAI_BASE_URL": "http://x"}
    told = await ask([codex, other, broken, silent, "relative", str(tmp_path / "none")], env, 20)
    assert told == {codex: "0.169.0-beta.1", other: "12.4"}
    names = {line.partition("=")[0] for line in seen.read_text().splitlines()}
    assert names <= {"PATH", "HOME", "LANG", "TMPDIR", "PWD", "SHLVL", "_"}


async def test_an_answer_is_remembered_until_the_program_changes(tmp_path: Path) -> None:
    path = program(tmp_path, "tool", "echo asked >> $HOME/asked; echo 1.0")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    both = await asyncio.gather(ask([path], env, 20), ask([path], env, 20))
    assert both == [{path: "1.0"}, {path: "1.0"}]
    assert (tmp_path / "asked").read_text().count("asked") == 1
    program(tmp_path, "tool", "echo 2.0")
    os.utime(path, ns=(1, 1))
    assert await ask([path], env, 20) == {path: "2.0"}


async def test_a_program_that_hangs_is_not_waited_for_and_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "ANSWER_S", 1.0)
    path = program(tmp_path, "hangs", "echo $$ > $HOME/pid; tail -f /dev/null & wait")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    began = time.monotonic()
    assert await ask([path], env, 0.2) == {}
    assert time.monotonic() - began < 1
    assert await ask([path], env, 20) == {}  # The same question, to its end.
    pid = int((tmp_path / "pid").read_text())
    assert not trees.is_alive(pid, None)
    assert trees.working_in(tmp_path) == []


def test_a_sign_in_is_told_by_a_name_or_by_a_file_that_is_not_read(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert not look_for(CLAUDE_SIGN_IN, home).is_found
    assert "ANTHROPIC_API_KEY" in look_for(CLAUDE_SIGN_IN, home).text
    found = look_for(CLAUDE_SIGN_IN, {**home, "ANTHROPIC_API_KEY": "s3cret"})
    assert (found.is_found, found.text) == (True, "ANTHROPIC_API_KEY is set")
    (tmp_path / ".claude").mkdir()
    os.mkfifo(tmp_path / ".claude" / ".credentials.json")  # Whoever read it would wait for ever.
    assert look_for(CLAUDE_SIGN_IN, home).is_found
    elsewhere = {**home, "CLAUDE_CONFIG_DIR": str(tmp_path / "elsewhere")}
    assert not look_for(CLAUDE_SIGN_IN, elsewhere).is_found
