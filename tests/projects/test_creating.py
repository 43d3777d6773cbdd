"""Registering a repository: what becomes of it in the database, and what is refused."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from app.errors import Conflict, Invalid
from app.events import reading
from app.postgres.reading import scalar
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.projects.rows import ProjectRow, all_projects
from tests.git.repositories import make_repository, state, user
from tests.work import MARA


async def test_a_repository_becomes_a_project_and_nothing_in_it_changes(database: str, repository: Path) -> None:
    before = state(repository)
    project = await create_project(NewProject(path=str(repository)), MARA)
    assert (project.name, project.path, project.max_concurrent_agents) == ("wheelwright", str(repository), 3)
    assert state(repository) == before
    event = (await reading.of_subject(project.id, project.id))[0]
    assert (event.kind, event.actor, event.payload) == ("project.created", "Mara Lindqvist", {"path": project.path})


async def test_the_stored_document_has_the_keys_of_the_schema(project: ProjectRow) -> None:
    stored = msgspec.json.decode(await scalar("SELECT config FROM projects WHERE id = $1", project.id))
    assert stored == {
        "worktreeRoot": ".worktrees",
        "defaultBranch": "main",
        "allowedTools": ["Read", "Edit", "Bash", "Glob", "Grep"],
        "maxTurns": 50,
        "timeoutMinutes": 60,
        "idleTimeoutMinutes": 10,
        "model": "claude-sonnet-4-20250514",
    }


async def test_the_base_branch_is_the_one_that_is_checked_out(database: str, tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "other", branch="trunk")
    assert (await create_project(NewProject(path=str(repository)), MARA)).config.default_branch == "trunk"


async def test_a_detached_head_leaves_the_likely_branch(database: str, repository: Path) -> None:
    user(repository, "checkout", "-q", "--detach")
    assert (await create_project(NewProject(path=str(repository)), MARA)).config.default_branch == "main"


async def test_a_chosen_branch_must_exist(database: str, repository: Path) -> None:
    user(repository, "branch", "release/1.x")
    chosen = NewProject(path=str(repository), default_branch="release/1.x")
    assert (await create_project(chosen, MARA)).config.default_branch == "release/1.x"
    for name in ("trunk", "release", "-d", "main:main", "refs/heads/main"):
        with pytest.raises(Invalid) as wrong:
            await create_project(NewProject(path=str(repository), default_branch=name), MARA)
        assert list(wrong.value.fields) == ["default_branch"], name


async def test_a_folder_inside_a_repository_is_a_project_of_its_own(database: str, tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "mono", {"app/a.py": "a = 1\n", "lib/b.py": "b = 1\n"})
    app, lib = [await create_project(NewProject(path=str(repository / name)), MARA) for name in ("app", "lib")]
    assert (Path(app.path), app.name) == (repository / "app", "app")
    assert (Path(lib.path), lib.name) == (repository / "lib", "lib")


async def test_a_path_may_begin_at_the_home_folder(
    database: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(repository.parent))
    assert (await create_project(NewProject(path="~/wheelwright"), MARA)).path == str(repository)


@pytest.mark.parametrize("path", ["", "relative", "./", "\0", "/a\0b", "~nobody-of-that-name", "/nowhere/at/all"])
async def test_paths_that_are_none_are_refused_beside_the_field(database: str, path: str) -> None:
    with pytest.raises(Invalid) as wrong:
        await create_project(NewProject(path=path), MARA)
    assert list(wrong.value.fields) == ["path"]
    assert await all_projects() == []


async def test_one_repository_is_one_project_whatever_leads_to_it(project: ProjectRow, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project.path)
    for path in (project.path, f"{project.path}/.", str(tmp_path / "link")):
        with pytest.raises(Conflict) as refusal:
            await create_project(NewProject(path=path, name="Again"), MARA)
        assert (refusal.value.code, refusal.value.details["project"]) == ("PROJECT_PATH_EXISTS", project.id)


async def test_of_two_people_at_once_one_registers_it(database: str, repository: Path) -> None:
    form = NewProject(path=str(repository))
    answers = await asyncio.gather(*(create_project(form, MARA) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(answer, ProjectRow) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) and answer.code == "PROJECT_PATH_EXISTS" for answer in answers) == 4
    assert len(await all_projects()) == 1
