"""Who decides whether a project's programs run in a sandbox, and what of the machine its settings may open."""

from pathlib import Path

import pytest

from app.errors import Invalid
from app.processes import sandbox
from app.projects.editing import edit_project
from app.projects.forms import ProjectSettings
from app.projects.machine_paths import MOST, machine_paths
from app.projects.rows import ProjectConfig, ProjectRow, get_project
from app.projects.walls import standing
from tests.visitor import Visitor
from tests.work import MARA

GOOD = {"name": "wheelwright", "sandbox": "required", "memory_limit_mb": 512, "process_limit": 50, "file_limit_mb": 10}


@pytest.mark.parametrize(
    ("server", "project", "agent", "mode"),
    [
        ("auto", "", "", "auto"),
        ("auto", "off", "", "off"),
        ("auto", "off", "required", "required"),
        ("auto", "required", "", "required"),
        ("required", "off", "", "required"),
        ("off", "", "", "off"),
        ("off", "auto", "", "auto"),
        ("off", "", "required", "required"),
    ],
)
def test_whoever_demands_one_has_it_so(server, project, agent, mode):
    assert standing(server, ProjectConfig(sandbox=project), agent).mode == mode


def test_the_warning_says_who_turned_it_off(monkeypatch):
    assert "this project's settings" in standing("auto", ProjectConfig(sandbox="off")).warning
    assert "AGENTPANE_SANDBOX" in standing("off", ProjectConfig()).warning


def test_and_that_there_is_none(without_bubblewrap):
    stands = standing("auto", ProjectConfig())
    assert (stands.has_walls, stands.warning) == (False, "No sandbox: bubblewrap is not installed.")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("relative/path", "give a whole path"),
        ("/usr/../etc", "give a whole path"),
        ("/no/such/thing/here", "does not exist"),
        ("/", "whole home folder"),
        ("~", "whole home folder"),
        ("{data}", "belongs to AgentPane"),
        ("{data}/postgres", "belongs to AgentPane"),
        ("{link}", "belongs to AgentPane"),
    ],
)
def test_what_is_never_opened(tmp_path, line, said):
    data = tmp_path / "data"
    (data / "postgres").mkdir(parents=True)
    (tmp_path / "link").symlink_to(data)
    typed = line.format(data=data, link=tmp_path / "link")
    with pytest.raises(Invalid, match=said) as refused:
        machine_paths(f"/usr\n{typed}\n", "sandbox_readable", data)
    assert list(refused.value.fields) == ["sandbox_readable"]


def test_lines_are_kept_as_typed_each_once(tmp_path):
    assert machine_paths(f" /usr \n\n{tmp_path}\n/usr", "f", None) == ("/usr", str(tmp_path))
    with pytest.raises(Invalid, match="are the limit"):
        machine_paths("\n".join(f"/usr/{n}" for n in range(MOST + 1)), "f", None)


async def test_the_settings_are_stored_and_shown(project: ProjectRow, visitor: Visitor, tmp_path: Path):
    page = f"/projects/{project.id}/settings"
    fields = {name: str(value) for name, value in GOOD.items()}
    answer = await visitor.send(page, page, **fields, sandbox_readable=f"/usr\n{tmp_path}", sandbox_writable="")
    assert answer.status_code == 303
    config = (await get_project(project.id)).config
    assert (config.sandbox, config.sandbox_readable, config.sandbox_writable) == (
        "required",
        ("/usr", str(tmp_path)),
        (),
    )
    assert (config.memory_limit_mb, config.process_limit, config.file_limit_mb) == (512, 50, 10)
    shown = await visitor.page(page)
    assert f"/usr\n{tmp_path}</textarea>" in shown
    assert '<option value="required" selected>' in shown


async def test_a_wrong_path_comes_back_with_what_was_typed(project: ProjectRow, visitor: Visitor, app):
    page = f"/projects/{project.id}/settings"
    data = app.state.settings.data_dir
    answer = await visitor.send(page, page, name="wheelwright", sandbox_writable=str(data), memory_limit_mb="512")
    assert answer.status_code == 422
    assert "belongs to AgentPane itself" in answer.text
    assert f"{data}</textarea>" in answer.text
    assert (await get_project(project.id)).config == project.config


@pytest.mark.parametrize("wrong", [{"memory_limit_mb": "1"}, {"process_limit": "0"}, {"sandbox": "maybe"}])
async def test_limits_have_limits(project: ProjectRow, visitor: Visitor, wrong: dict[str, str]):
    page = f"/projects/{project.id}/settings"
    assert (await visitor.send(page, page, name="wheelwright", **wrong)).status_code == 422


async def test_a_page_without_a_sandbox_says_so(project: ProjectRow, visitor: Visitor, without_bubblewrap):
    shown = await visitor.page(f"/projects/{project.id}/settings")
    assert "No sandbox can be had here" in shown
    assert "Bubblewrap is not installed." in shown


async def test_what_chooses_nothing_stores_no_key(project: ProjectRow):
    await edit_project(project.id, ProjectSettings(name="wheelwright"), MARA)
    assert "sandbox" not in (await get_project(project.id)).config.to_json()


@pytest.fixture
def without_bubblewrap(tmp_path, monkeypatch):
    """A machine on which it is not installed."""
    import shutil

    found = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, *more, **by: None if name == "bwrap" else found(name, *more, **by)
    )
    sandbox.available.cache_clear()
    yield
    monkeypatch.undo()
    sandbox.available.cache_clear()
