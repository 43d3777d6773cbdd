"""Settings are written as a whole; a project is deleted only when nothing is lost with it."""

import pytest

from app.errors import Conflict, Invalid, NotFound
from app.events import reading
from app.postgres.reading import scalar
from app.projects.editing import delete_project, edit_project
from app.projects.forms import Deletion, ProjectSettings
from app.projects.rows import ProjectRow, get_project
from app.runs.cancelling import cancel
from app.runs.claiming import claim_next
from tests.git.repositories import user
from tests.work import MARA, add_agent, begin, end, queue


async def test_what_is_left_empty_goes_back_to_its_default(project: ProjectRow) -> None:
    full = ProjectSettings(name="n", env_file=".env", install_command="make all", allowed_tools=["Read"], model="m")
    edited = await edit_project(project.id, full, MARA)
    assert (edited.config.env_file, edited.config.install_command) == (".env", ("make", "all"))
    plain = await edit_project(project.id, ProjectSettings(name="n"), MARA)
    assert (plain.config, plain.name) == (project.config, "n")
    assert [event.kind for event in await reading.of_subject(project.id, project.id)] == [
        "project.created", "project.edited", "project.edited",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"worktree_root": "."},
        {"worktree_root": "/"},
        {"worktree_root": "a/../.."},
        {"worktree_root": ".git/trees"},
        {"worktree_root": "~nobody-of-this-name/trees"},
        {"branch_template": "agent/{slug}"},
        {"branch_template": "agent/{id}/{title}"},
        {"branch_template": "agent/{id}/{slug}.lock"},
        {"branch_template": "-{id}"},
        {"branch_template": "agent {id}"},
        {"env_file": "~/.ssh/id_ed25519"},
        {"env_file": "/etc/passwd"},
        {"env_file": "../.env"},
        {"init_script": "../evil"},
        {"default_branch": "nowhere"},
        {"install_command": "make 'all"},
    ],
)
async def test_a_wrong_setting_changes_nothing(project: ProjectRow, wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid) as error:
        await edit_project(project.id, ProjectSettings(name="other", **wrong), MARA)
    assert list(error.value.fields) == list(wrong)
    assert await get_project(project.id) == project


async def test_the_projects_own_folder_is_no_place_for_worktrees(project: ProjectRow) -> None:
    for root in (project.path, str(project.root.parent)):
        with pytest.raises(Invalid, match=r"."):
            await edit_project(project.id, ProjectSettings(name="n", worktree_root=root), MARA)


async def test_a_project_goes_with_all_its_records_and_leaves_the_repository(project: ProjectRow) -> None:
    await add_agent(project.id)
    claim = await begin(project.id)
    await end(claim, "stopped")
    branch = (await cancel(claim.task_id, actor=MARA)).branch
    await delete_project(project.id, Deletion(confirm_name=" wheelwright "))
    with pytest.raises(NotFound):
        await get_project(project.id)
    for table in ("tasks", "agents", "agent_runs", "sessions", "worktrees", "events"):
        assert await scalar(f"SELECT count(*) FROM {table}") == 0, table
    assert user(project.root, "rev-parse", "--verify", f"refs/heads/{branch}")


async def test_a_wrong_name_deletes_nothing(project: ProjectRow) -> None:
    for name in ("", "Wheelwright", "wheelwright2"):
        with pytest.raises(Invalid) as wrong:
            await delete_project(project.id, Deletion(confirm_name=name))
        assert list(wrong.value.fields) == ["confirm_name"]
    assert await get_project(project.id) == project


async def test_a_project_with_agents_at_work_stays(project: ProjectRow) -> None:
    await queue(project.id)
    claim = await claim_next(project.id)
    assert claim is not None
    with pytest.raises(Conflict, match="1 agent is running") as refusal:
        await delete_project(project.id, Deletion(confirm_name=project.name))
    assert refusal.value.code == "PROJECT_HAS_RUNNING_AGENTS"


async def test_a_project_whose_worktrees_hold_work_stays(project: ProjectRow) -> None:
    claim = await begin(project.id)
    await end(claim)
    with pytest.raises(Conflict, match="1 worktree holds work") as refusal:
        await delete_project(project.id, Deletion(confirm_name=project.name))
    assert refusal.value.code == "PROJECT_HAS_RUNNING_AGENTS"
    assert await get_project(project.id) == project
