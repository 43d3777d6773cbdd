import os
import shutil
from pathlib import Path

import pytest

from tests.git.benches import Bench, make_finished_work
from tests.git.repositories import make_repository


@pytest.fixture(autouse=True)
def _bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the person who runs the tests, and no identity to fall back on."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project", {"a.txt": "one\n", "src/b.py": "b = 1\n"})


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_finished_work(tmp_path_factory.mktemp("template") / "copy")


@pytest.fixture
def bench(tmp_path: Path, template: Path) -> Bench:
    return Bench(shutil.copytree(template, tmp_path / "my copy", symlinks=True))
