"""The command line answers at once, and says wrong usage in one sentence."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from app.cli import COMMANDS, agentpane, run

#: Only for developers, in a checkout.
WITHOUT_DATA = [["db", "new"], ["audit", "script"]]
SLOW = {"litestar", "piccolo", "claude_agent_sdk", "asyncpg", "uvicorn", "msgspec"}


def test_help_imports_nothing_that_is_slow() -> None:
    program = "import sys; from app.cli import run; code = run(['--help']); print(*sys.modules); sys.exit(code)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    *text, modules = answer.stdout.splitlines()
    assert all(any(line.strip().startswith(command) for line in text) for command in COMMANDS)
    assert SLOW.isdisjoint(modules.split())
    assert "click" in modules.split()


def commands() -> Iterator[list[str]]:
    """Every command, and every one inside it."""
    for name in COMMANDS:
        command = agentpane.get_command(click.Context(agentpane), name)
        yield [name]
        yield from ([name, inner] for inner in getattr(command, "commands", ()))


@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_every_command_has_help_at_once(command: list[str]) -> None:
    program = (
        f"import sys; from app.cli import run; code = run({[*command, '--help']}); print(*sys.modules); exit(code)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    *text, modules = answer.stdout.splitlines()
    assert text[0].startswith(f"Usage: agentpane {' '.join(command)}")
    assert "--data-dir" in answer.stdout or command in WITHOUT_DATA or len(command) == 1
    assert SLOW.isdisjoint(modules.split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["frobnicate"], "No such command 'frobnicate'. See 'agentpane --help'."),
        (["db", "check", "--all"], "No such option '--all'. See 'agentpane db check --help'."),
        (["serve", "--host", "0.0.0.0"], "AgentPane has no accounts yet, so it serves only this machine"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(sentence)
    assert output.err.count("\n") == 1


def test_a_setting_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AGENTPANE_PORT", "many")
    assert run(["db", "url"]) == 2
    assert capsys.readouterr().err.startswith("AGENTPANE_PORT is 'many'")
