"""Which commands are given the hook that asks, and how it is joined with what the command line says already."""

import json
import tomllib
from pathlib import Path

import pytest

from app.runners.hooked import hooked, is_known
from app.runners.hooks import ASK

ENV = {"PATH": "/usr/bin", ASK: "/run/agent pane/ask"}


def settings_of(argv: list[str], cwd: Path = Path("/")) -> dict[str, object]:
    made = hooked(argv, ENV, cwd)
    assert made.is_known
    assert made.argv.count("--settings") == 1
    assert made.argv[:2] == [argv[0], "--settings"]
    return json.loads(made.argv[2])


def test_claude_gets_it_by_its_settings_before_its_own_words():
    argv = ["/opt/claude", "-p", "--verbose", "{prompt}"]
    hook = {"type": "command", "command": "'/run/agent pane/ask'", "timeout": 691_200}
    assert settings_of(argv) == {
        "disableAllHooks": False, "hooks": {"PreToolUse": [{"matcher": "*", "hooks": [hook]}]},
    }  # fmt: skip
    assert hooked(argv, ENV, Path("/")).argv[3:] == argv[1:]
    assert hooked(argv, ENV, Path("/")).env == ENV


@pytest.mark.parametrize("how", ["text", "file", "joined"])
def test_settings_that_a_person_gave_hold_too(tmp_path, how):
    given = {"model": "opus", "disableAllHooks": True, "hooks": {"Stop": [], "PreToolUse": [{"matcher": "Bash"}]}}
    (tmp_path / "s.json").write_text(json.dumps(given))
    word = "s.json" if how == "file" else json.dumps(given)
    words = [f"--settings={word}"] if how == "joined" else ["--settings", word]
    settings = settings_of(["claude", *words, "--print"], tmp_path)
    assert (settings["model"], settings["disableAllHooks"]) == ("opus", False)
    assert settings["hooks"]["Stop"] == []
    assert [each["matcher"] for each in settings["hooks"]["PreToolUse"]] == ["*", "Bash"]


def test_codex_gets_it_by_its_configuration_and_is_told_that_somebody_has_looked_at_it():
    argv = ["/opt/codex", "--profile", "x", "exec", "--json", "{prompt}"]
    made = hooked(argv, {**ENV, ASK: "/tmp/hookscratch/h.sh"}, Path("/"))
    assert (made.is_known, made.reads, made.env[ASK]) == (True, "code", "/tmp/hookscratch/h.sh")
    assert made.argv[:4] + made.argv[10:] == argv
    assert made.argv[4::2][:3] == ["-c"] * 3
    enabled, hook, state = made.argv[5:10:2]
    assert enabled == "features.hooks=true"
    configured = tomllib.loads(f"{hook}\n{state}")["hooks"]
    handler = {"type": "command", "command": "/tmp/hookscratch/h.sh", "timeout": 691_200}
    assert configured["PreToolUse"] == [{"matcher": "*", "hooks": [handler]}]
    assert list(configured["state"]) == ["/<session-flags>/config.toml:pre_tool_use:0:0"]


def test_a_codex_whose_command_line_has_hooks_of_its_own_keeps_them():
    made = hooked(["codex", "exec", "-c", "hooks.PreToolUse=[]", "x"], ENV, Path("/"))
    assert not made.is_known
    assert made.warning.startswith("Its command line speaks of hooks already. So this program cannot ask")


@pytest.mark.parametrize("word", ["none.json", "{no json", "[1]", '{"hooks": 1}', '{"hooks": {"PreToolUse": 2}}'])
def test_settings_that_leave_no_place_for_it_are_said_and_kept(tmp_path, word):
    argv = ["claude", "-p", "--settings", word]
    made = hooked(argv, ENV, tmp_path)
    assert (made.argv, made.is_known) == (argv, False)
    assert made.warning.endswith("So this program cannot ask: neither allowed tools nor rules reach it.")


@pytest.mark.parametrize("argv", [["sh", "-c", "claude -p"], ["claude", "doctor"], ["notclaude", "-p"], ["cat"]])
def test_any_other_command_stays_as_it_is(argv):
    made = hooked(argv, ENV, Path("/"))
    assert (made.argv, made.env, made.is_known, is_known(argv)) == (argv, ENV, False, False)
