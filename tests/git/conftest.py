import os
from pathlib import Path

import pytest

from tests.git.repositories import make_repository


@pytest.fixture(autouse=True)
def _bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the person who runs the tests, and no identity to fall back on."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project", {"a.txt": "one\n", "src/b.py": "b = 1\n"})
