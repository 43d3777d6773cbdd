"""`agentpane doctor` says what is there and what is missing, and makes nothing."""

from pathlib import Path

import pytest

from tests.cli.terminal import Terminal


def test_what_is_needed_is_looked_at_and_nothing_is_made(tmp_path: Path) -> None:
    mara = Terminal(tmp_path / "data")
    found = mara.json("doctor")
    states = {check["name"]: check["state"] for check in found["checks"]}
    assert found["ok"]
    assert {states["git"], states["Database"], states["Data folder"]} == {"ok"}
    assert {program["id"] for program in found["programs"]} >= {"claude", "codex", "opencode-acp"}
    assert not mara.data_dir.exists()

    mara.says("project", "list")
    said = mara.says("doctor")
    assert "Database: PostgreSQL" in said
    assert "answers" in said
    assert "npm install -g @google/gemini-cli" in said


def test_what_is_missing_ends_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    mara = Terminal(tmp_path / "data")
    answer = mara.run("doctor", code=1)
    assert "MISSING git: git is not installed" in answer.stdout
    assert answer.stderr.strip() == "Something that is needed is missing: git."
    assert [each.name for each in tmp_path.iterdir()] == ["data home"]
