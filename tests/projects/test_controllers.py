"""The pages of projects: register a repository, settings, deletion; with plain forms and with htmx."""

import os
from pathlib import Path

import pytest

from app.projects.rows import ProjectRow, all_projects, get_project
from tests.git.repositories import make_repository, user
from tests.visitor import Visitor
from tests.work import begin


async def test_the_first_page_leads_to_the_first_project(visitor: Visitor, repository: Path) -> None:
    assert "Put an agent to work" in await visitor.page("/")
    answer = await visitor.send("/", "/projects", path=str(repository))
    (project,) = await all_projects()
    assert (answer.status_code, answer.headers["location"]) == (303, f"/projects/{project.id}")
    assert "wheelwright" in await visitor.page(answer.headers["location"])


async def test_all_projects_are_listed_and_another_can_be_added(
    visitor: Visitor, project: ProjectRow, tmp_path: Path
) -> None:
    page = await visitor.page("/")
    assert f'href="/projects/{project.id}"' in page
    assert project.path in page
    other = make_repository(tmp_path / "second")
    assert (await visitor.send("/", "/projects", path=str(other), name="Second")).status_code == 303
    assert "Second" in await visitor.page("/")


async def test_htmx_is_sent_to_the_new_board(visitor: Visitor, repository: Path) -> None:
    answer = await visitor.send_htmx("/projects/new", "/projects", path=str(repository), name="By htmx")
    (project,) = await all_projects()
    assert (answer.status_code, answer.headers["hx-redirect"]) == (200, f"/projects/{project.id}")
    assert project.name == "By htmx"


async def test_every_field_of_the_form_is_kept(visitor: Visitor, repository: Path) -> None:
    user(repository, "branch", "trunk")
    await visitor.send(
        "/projects/new",
        "/projects",
        path=str(repository),
        name="All of it",
        description="What it is.",
        max_concurrent_agents="7",
        default_branch="trunk",
    )
    (project,) = await all_projects()
    assert (project.name, project.description, project.max_concurrent_agents) == ("All of it", "What it is.", 7)
    assert project.config.default_branch == "trunk"


@pytest.fixture
def bad_paths(tmp_path: Path) -> dict[str, str]:
    """Folders of every kind that cannot be a project."""
    (tmp_path / "plain").mkdir()
    user(tmp_path, "init", "-q", "--bare", "bare.git")
    return {
        "nowhere": str(tmp_path / "nowhere"),
        "a plain folder": str(tmp_path / "plain"),
        "no commit": str(make_repository(tmp_path / "empty", {})),
        "bare": str(tmp_path / "bare.git"),
        "relative": "src/project",
        "no such home": "~nobody-of-that-name/src",
        "nothing": "",
    }


@pytest.mark.parametrize(
    "kind", ["nowhere", "a plain folder", "no commit", "bare", "relative", "no such home", "nothing"]
)
async def test_a_path_that_is_no_usable_repository_is_refused_beside_the_field(
    visitor: Visitor, bad_paths: dict[str, str], kind: str
) -> None:
    answer = await visitor.send("/projects/new", "/projects", path=bad_paths[kind], name="Kept name")
    assert answer.status_code == 422
    assert 'id="f-path-error"' in answer.text
    assert 'data-error-code="VALIDATION_ERROR"' in answer.text
    assert f'value="{bad_paths[kind]}"' in answer.text
    assert 'value="Kept name"' in answer.text
    assert await all_projects() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="everything can be written to by root")
async def test_a_repository_that_cannot_be_written_to_is_refused(visitor: Visitor, repository: Path) -> None:
    objects = repository / ".git" / "objects"
    objects.chmod(0o500)
    try:
        answer = await visitor.send("/projects/new", "/projects", path=str(repository))
    finally:
        objects.chmod(0o700)
    assert answer.status_code == 422
    assert "cannot be written to" in answer.text


async def test_a_branch_that_does_not_exist_is_refused_beside_its_field(visitor: Visitor, repository: Path) -> None:
    answer = await visitor.send("/projects/new", "/projects", path=str(repository), default_branch="trunk")
    assert answer.status_code == 422
    assert 'id="f-default_branch-error"' in answer.text
    assert "no branch &#39;trunk&#39;" in answer.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "n" * 101),
        ("description", "d" * 501),
        ("max_concurrent_agents", "0"),
        ("max_concurrent_agents", "11"),
        ("max_concurrent_agents", "many"),
    ],
)
async def test_values_over_their_limits_come_back(visitor: Visitor, repository: Path, field: str, value: str) -> None:
    answer = await visitor.send("/projects/new", "/projects", path=str(repository), **{field: value})
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text
    assert f'value="{value}"' in answer.text
    assert await all_projects() == []


async def test_a_repository_is_registered_once_also_through_a_symbolic_link(
    visitor: Visitor, project: ProjectRow, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(project.path)
    for path in (project.path, f"{project.path}/", str(link), str(link / ".git" / "..")):
        answer = await visitor.send("/projects/new", "/projects", path=path)
        assert answer.status_code == 409, path
        assert 'data-error-code="PROJECT_PATH_EXISTS"' in answer.text
        assert 'id="f-path-error"' in answer.text
        assert f'value="{path}"' in answer.text
    assert len(await all_projects()) == 1


async def test_htmx_gets_the_form_again_with_its_errors(visitor: Visitor, project: ProjectRow) -> None:
    answer = await visitor.send_htmx("/", "/projects", path=project.path)
    assert answer.status_code == 409
    assert answer.text.startswith('<hx-partial hx-target="#new-project"')
    assert "<html" not in answer.text
    answer = await visitor.send_htmx("/projects/new", "/projects", path="src")
    assert answer.status_code == 422
    assert 'id="f-path-error"' in answer.text


async def test_html_in_names_is_text(visitor: Visitor, repository: Path) -> None:
    name, description = "<b>Bold</b> & 'co'", "<script>alert(1)</script>"
    answer = await visitor.send("/projects/new", "/projects", path=str(repository), name=name, description=description)
    board = answer.headers["location"]
    for path in ("/", board, f"{board}/settings", f"{board}/agents"):
        page = await visitor.page(path)
        assert "<b>Bold</b>" not in page
        assert "<script>alert" not in page
        assert "&lt;b&gt;Bold&lt;/b&gt;" in page


async def test_settings_are_shown_and_saved(visitor: Visitor, project: ProjectRow) -> None:
    path = f"/projects/{project.id}/settings"
    assert "A git repository" in await visitor.page(path)
    answer = await visitor.send(
        path,
        path,
        name="Renamed",
        description="New words",
        max_concurrent_agents="5",
        worktree_root=".trees",
        env_file=".env",
        init_script="bin/init",
        install_command="make 'all of it'",
        install_timeout="60",
        init_timeout="30",
        branch_template="work/{slug}-{id}",
        stale_after_days="3",
        audit_days="90",
        allowed_tools="Read, Bash(git log --format=%h,%s)",
        max_turns="80",
        timeout_minutes="240",
        idle_timeout_minutes="25",
        model="opus",
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?saved=true")
    assert "The settings are saved." in await visitor.page(answer.headers["location"])
    saved = await get_project(project.id)
    assert (saved.name, saved.description, saved.max_concurrent_agents) == ("Renamed", "New words", 5)
    config = saved.config
    assert (config.worktree_root, config.env_file, config.init_script) == (".trees", ".env", "bin/init")
    assert (config.install_command, config.install_timeout, config.init_timeout) == (("make", "all of it"), 60, 30)
    assert (config.branch_template, config.stale_after_days) == ("work/{slug}-{id}", 3)
    assert config.audit_days == 90
    assert config.allowed_tools == ("Read", "Bash(git log --format=%h,%s)")
    assert (config.max_turns, config.model) == (80, "opus")
    assert (config.timeout_minutes, config.idle_timeout_minutes) == (240, 25)


async def test_saving_what_is_shown_changes_nothing(visitor: Visitor, project: ProjectRow) -> None:
    path = f"/projects/{project.id}/settings"
    await visitor.send(path, path, install_command="npm ci --foreground-scripts", init_script="bin/init")
    stored = await get_project(project.id)
    await visitor.send(path, path)
    assert await get_project(project.id) == stored


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "n" * 101),
        ("description", "d" * 501),
        ("default_branch", "trunk"),
        ("worktree_root", "../outside"),
        ("branch_template", "agent/{slug}"),
        ("install_timeout", "0"),
        ("init_timeout", "90000"),
        ("stale_after_days", "soon"),
        ("audit_days", "0"),
        ("audit_days", "soon"),
        ("env_file", "/etc/passwd"),
        ("init_script", "../../evil"),
        ("install_command", "make 'all"),
        ("max_turns", "0"),
        ("timeout_minutes", "0"),
        ("timeout_minutes", "10081"),
        ("idle_timeout_minutes", "soon"),
        ("max_concurrent_agents", "11"),
    ],
)
async def test_settings_that_cannot_be_come_back_with_what_was_typed(
    visitor: Visitor, project: ProjectRow, field: str, value: str
) -> None:
    path = f"/projects/{project.id}/settings"
    answer = await visitor.send(path, path, **{"model": "typed-model", field: value})
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text
    assert 'value="typed-model"' in answer.text
    assert await get_project(project.id) == project
    partial = await visitor.send_htmx(path, path, **{field: value})
    assert partial.status_code == 422
    assert partial.text.startswith('<hx-partial hx-target="#main"')
    assert f'id="f-{field}-error"' in partial.text


async def test_the_settings_tell_when_the_repository_is_gone(
    visitor: Visitor, project: ProjectRow, repository: Path
) -> None:
    repository.rename(repository.with_name("moved"))
    path = f"/projects/{project.id}/settings"
    assert "A git repository" not in await visitor.page(path)
    answer = await visitor.send(path, path, name="Renamed")
    assert answer.status_code == 422
    assert 'id="f-path-error"' in answer.text


async def test_a_project_is_deleted_by_its_typed_name_and_its_repository_stays(
    visitor: Visitor, project: ProjectRow, repository: Path
) -> None:
    page, action = f"/projects/{project.id}/settings", f"/projects/{project.id}/delete"
    wrong = await visitor.send(page, action, confirm_name="wheelwrong")
    assert wrong.status_code == 422
    assert 'value="wheelwrong"' in wrong.text
    assert "Type wheelwright to delete" in wrong.text
    answer = await visitor.send(page, action, confirm_name="wheelwright")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert await all_projects() == []
    assert user(repository, "rev-list", "--count", "HEAD") == "1"
    assert (await visitor.get(f"/projects/{project.id}")).status_code == 404


async def test_a_project_with_agents_at_work_is_not_deleted(visitor: Visitor, project: ProjectRow) -> None:
    await begin(project.id)
    page, action = f"/projects/{project.id}/settings", f"/projects/{project.id}/delete"
    assert "1 agent is at work" in await visitor.page(page)
    for send in (visitor.send, visitor.send_htmx):
        answer = await send(page, action, confirm_name=project.name)
        assert (answer.status_code, 'data-error-code="PROJECT_HAS_RUNNING_AGENTS"' in answer.text) == (409, True)
    assert await get_project(project.id) == project


@pytest.mark.parametrize("page", ["settings", "agents", "runs", "sessions", "worktrees", "audit"])
async def test_ids_that_are_not_known_or_not_ids(visitor: Visitor, page: str) -> None:
    unknown = await visitor.get(f"/projects/abcdefghijklmnopqrstuvwx/{page}")
    assert (unknown.status_code, 'data-error-code="PROJECT_NOT_FOUND"' in unknown.text) == (404, True)
    malformed = await visitor.get(f"/projects/NOT-an-id/{page}")
    assert (malformed.status_code, 'data-error-code="INVALID_ID"' in malformed.text) == (400, True)


async def test_a_form_without_its_token_is_refused(visitor: Visitor, repository: Path) -> None:
    await visitor.page("/projects/new")
    answer = await visitor.client.post("/projects", data={"path": str(repository)})
    assert (answer.status_code, 'data-error-code="CSRF"' in answer.text) == (403, True)
    assert await all_projects() == []
