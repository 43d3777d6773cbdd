"""The wheel carries all that AgentPane needs, and works away from the checkout."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

INSTALLED = """
import sys
import tomllib
sys.path.insert(0, sys.argv[1])
from app.postgres.migrations import known
from app.resources import resource_path
from piccolo.engine import engine_finder
from piccolo.apps.migrations.tables import Migration
for name in ("templates", "static", "piccolo_migrations"):
    print(resource_path(name))
print(len(known()), type(engine_finder()).__module__, Migration._meta.db is engine_finder())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-I", "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("agentpane-*.whl")))


def test_it_carries_every_module_template_static_file_and_migration(wheel: zipfile.ZipFile) -> None:
    for folder, inside in {
        "app": "app",
        "templates": "app/_data/templates",
        "static": "app/_data/static",
        "piccolo_migrations": "app/_data/piccolo_migrations",
    }.items():
        files = {path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*") if is_source(path)}
        assert files
        assert {str(Path(inside) / path) for path in files} <= set(wheel.namelist())


def test_it_carries_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"app", "agentpane"}


def test_the_checkout_has_no_copies_of_what_the_wheel_carries() -> None:
    assert not (ROOT / "app" / "_data").exists()


def test_it_finds_its_files_migrations_and_engine_where_it_is_installed(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "site")
    answer = subprocess.run(
        [sys.executable, "-I", "-c", INSTALLED, str(tmp_path / "site")],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    )  # fmt: skip
    *folders, found = answer.stdout.splitlines()
    assert all(Path(folder).is_relative_to((tmp_path / "site" / "app" / "_data").resolve()) for folder in folders)
    migrations = len(list((ROOT / "piccolo_migrations").glob("*.py")))
    assert found == f"{migrations} app.postgres.pool True"


def is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")


def test_every_direct_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    explained = (ROOT / "docs" / "dependencies.md").read_text()
    assert [name for name in map(bare, wanted) if not re.search(rf"\b{re.escape(name)}\b", explained)] == []


def bare(requirement: str) -> str:
    match = re.match(r"[\w-]+", requirement)
    assert match
    return match[0]
