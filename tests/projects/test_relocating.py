"""A project whose folder was moved is followed, with its worktrees."""

from pathlib import Path

import pytest

from app.errors import Conflict, Invalid
from app.postgres.reading import execute
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.projects.relocating import relocate
from app.projects.rows import ProjectRow, get_project
from app.worktrees.restoring import restore
from app.worktrees.rows import get_worktree
from app.worktrees.surveying import survey
from tests.git.repositories import commit, make_repository, user
from tests.visitor import Visitor
from tests.work import MARA, begin, end


async def test_it_is_found_again_with_everything_in_its_worktrees(
    visitor: Visitor, project: ProjectRow, tmp_path: Path
) -> None:
    claim = await begin(project.id)
    worktree = await get_worktree(claim.worktree_id)
    commit(worktree.root, {"work.txt": "w\n"}, "Work")
    await end(claim)
    (worktree.root / "late.txt").write_text("not committed\n")
    moved = tmp_path / "moved"
    page, action = f"/projects/{project.id}/settings", f"/projects/{project.id}/relocate"
    assert action not in await visitor.page(page)
    project.root.rename(moved)
    answer = await visitor.send(page, action, path=str(moved))
    worktrees = f"/projects/{project.id}/worktrees"
    assert (answer.status_code, answer.headers["location"]) == (303, worktrees)
    here = await get_project(project.id)
    assert here.path == str(moved)
    assert (await survey(here)).lost == {worktree.id: "moved"}
    await visitor.send(worktrees, f"/worktrees/{worktree.id}/restore")
    found = await get_worktree(worktree.id)
    assert (found.status, found.root.parent.parent) == ("active", moved)
    assert user(found.root, "status", "--porcelain") == "?? late.txt"
    assert (await survey(here)).lost == {}


async def test_a_wrong_path_comes_back_with_what_was_typed(
    visitor: Visitor, project: ProjectRow, tmp_path: Path
) -> None:
    claim = await begin(project.id)
    await end(claim)
    other = make_repository(tmp_path / "other")
    project.root.rename(tmp_path / "moved")
    page, action = f"/projects/{project.id}/settings", f"/projects/{project.id}/relocate"
    for path in (str(other), str(tmp_path / "nothing"), "relative"):
        answer = await visitor.send(page, action, path=path)
        assert (answer.status_code, f'value="{path}"' in answer.text) == (422, True)
        assert 'id="f-new-path-error"' in answer.text
    assert (await visitor.send_htmx(page, action, path="relative")).status_code == 422
    assert await get_project(project.id) == project


async def test_a_project_that_was_not_moved_stays(project: ProjectRow, tmp_path: Path) -> None:
    other = make_repository(tmp_path / "other")
    with pytest.raises(Invalid, match=r"."):
        await relocate(project, str(other), MARA)
    assert await get_project(project.id) == project


async def test_two_projects_have_no_path_in_common(project: ProjectRow, tmp_path: Path) -> None:
    other = await create_project(NewProject(path=str(make_repository(tmp_path / "other"))), MARA)
    project.root.rename(tmp_path / "moved")
    with pytest.raises(Invalid) as refused:
        await relocate(project, other.path, MARA)
    assert refused.value.fields == {"path": "This repository is registered already."}


async def test_agents_at_work_are_stopped_first(project: ProjectRow, tmp_path: Path) -> None:
    await begin(project.id)
    project.root.rename(tmp_path / "moved")
    with pytest.raises(Conflict, match="Stop every agent"):
        await relocate(project, str(tmp_path / "moved"), MARA)


async def test_a_worktree_folder_outside_stays_where_it_is(project: ProjectRow, tmp_path: Path) -> None:
    claim = await begin(project.id)
    await end(claim)
    before = await get_worktree(claim.worktree_id)
    user(project.root, "worktree", "unlock", before.root)
    user(project.root, "worktree", "move", before.root, tmp_path / "outside")
    user(project.root, "worktree", "lock", "--reason", before.lock_reason, tmp_path / "outside")
    await execute("UPDATE worktrees SET path = $1", str(tmp_path / "outside"))
    project.root.rename(tmp_path / "moved")
    here = await relocate(project, str(tmp_path / "moved"), MARA)
    assert (await get_worktree(before.id)).path == str(tmp_path / "outside")
    assert (await survey(here)).lost == {before.id: "moved"}
    await restore(before.id, MARA)
    assert user(tmp_path / "outside", "status", "--porcelain") == ""
