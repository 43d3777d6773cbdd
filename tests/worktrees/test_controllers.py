"""The list of worktrees, and removing one by hand without losing its work."""

import re
from pathlib import Path

import msgspec
import pytest

from app.postgres.reading import execute
from app.projects.rows import ProjectRow
from app.projects.tables import Project
from app.runs.cancelling import cancel
from app.runs.claiming import claim_next
from app.tasks.rows import get_task
from app.worktrees.creating import SetupFailed, prepare
from app.worktrees.rows import get_worktree
from tests.git.repositories import user
from tests.visitor import Visitor
from tests.work import MARA, add_agent, begin, end, queue


async def test_worktrees_are_listed_with_their_steps(visitor: Visitor, project: ProjectRow) -> None:
    path = f"/projects/{project.id}/worktrees"
    assert "No worktrees now" in await visitor.page(path)
    claim = await begin(project.id, "Fix <the> resolver")
    worktree = await get_worktree(claim.worktree_id)
    page = await visitor.page(path)
    assert 'data-worktree-status="active"' in page
    assert worktree.branch in page
    assert str(worktree.root) in page
    assert "Fix &lt;the&gt; resolver" in page
    assert re.findall(r'<li data-stage="(\w+)">', page) == ["done", "idle", "idle", "idle"]
    assert "not needed" in page
    assert f'action="/worktrees/{worktree.id}/remove"' not in page


async def test_a_step_that_failed_shows_its_log(visitor: Visitor, project: ProjectRow) -> None:
    config = msgspec.structs.replace(project.config, install_command=("sh", "-c", "echo '<oops>'; exit 3"))
    await Project.update({Project.config: config.to_json()}).where(Project.id == project.id)
    await queue(project.id)
    claim = await claim_next(project.id)
    assert claim is not None
    with pytest.raises(SetupFailed):
        await prepare(claim.worktree_id, {"PATH": "/usr/bin:/bin"})
    page = await visitor.page(f"/projects/{project.id}/worktrees")
    assert 'data-worktree-status="error"' in page
    assert re.findall(r'<li data-stage="(\w+)">', page) == ["done", "idle", "error", "idle"]
    assert "&lt;oops&gt;" in page
    assert "<oops>" not in page


async def test_the_address_of_a_worktree_leads_to_its_place(visitor: Visitor, project: ProjectRow) -> None:
    claim = await begin(project.id)
    answer = await visitor.get(f"/worktrees/{claim.worktree_id}")
    place = f"/projects/{project.id}/worktrees#worktree-{claim.worktree_id}"
    assert (answer.status_code, answer.headers["location"]) == (303, place)
    assert f'id="worktree-{claim.worktree_id}"' in await visitor.page(place)


@pytest.fixture
async def left_behind(project: ProjectRow) -> Path:
    """A worktree with uncommitted work whose task went back to Backlog without it; gives its folder."""
    await add_agent(project.id)
    claim = await begin(project.id)
    worktree = await get_worktree(claim.worktree_id)
    (worktree.root / "kept.txt").write_text("kept\n")
    await end(claim, "stopped")
    await execute("UPDATE tasks SET \"column\" = 'backlog', agent_id = NULL WHERE id = $1", claim.task_id)
    return worktree.root


@pytest.mark.parametrize("by_htmx", [False, True])
async def test_a_worktree_is_removed_and_its_work_stays_on_the_branch(
    visitor: Visitor, project: ProjectRow, left_behind: Path, by_htmx: bool
) -> None:
    (left_behind / "late.txt").write_text("not committed\n")
    branch = user(left_behind, "branch", "--show-current")
    path = f"/projects/{project.id}/worktrees"
    action = re.search(r'action="(/worktrees/\w+/remove)"', await visitor.page(path))
    assert action is not None
    answer = await (visitor.send_htmx if by_htmx else visitor.send)(path, action[1])
    assert answer.headers["hx-redirect" if by_htmx else "location"] == path
    assert not left_behind.exists()
    assert user(project.root, "ls-tree", "--name-only", branch).split() == ["README.md", "kept.txt", "late.txt"]
    page = await visitor.page(path)
    assert "No worktrees now" in page
    assert 'data-worktree-status="removed"' in page
    again = await visitor.post(action[1])
    assert again.status_code == 409


async def test_a_worktree_in_which_a_task_works_stays(visitor: Visitor, project: ProjectRow) -> None:
    claim = await begin(project.id, "Still at it")
    answer = await visitor.post(f"/worktrees/{claim.worktree_id}/remove")
    assert (answer.status_code, "Still at it" in answer.text) == (409, True)
    worktree = await get_worktree(claim.worktree_id)
    assert (worktree.status, worktree.root.is_dir()) == ("active", True)


async def test_removed_worktrees_stay_as_history(visitor: Visitor, project: ProjectRow) -> None:
    await add_agent(project.id)
    claim = await begin(project.id, "Was cancelled")
    await end(claim, "stopped")
    await cancel(claim.task_id, actor=MARA)
    assert (await get_task(claim.task_id)).column == "backlog"
    page = await visitor.page(f"/projects/{project.id}/worktrees")
    assert "Removed" in page
    assert (await get_worktree(claim.worktree_id)).branch in page
    assert f'id="worktree-{claim.worktree_id}"' in page


@pytest.mark.parametrize(
    ("id", "status", "code"), [("abcdefghijklmnopqrstuvwx", 404, "WORKTREE_NOT_FOUND"), ("No-Id", 400, "INVALID_ID")]
)
async def test_ids_that_are_not_known_or_not_ids(visitor: Visitor, id: str, status: int, code: str) -> None:
    for answer in (await visitor.get(f"/worktrees/{id}"), await visitor.post(f"/worktrees/{id}/remove")):
        assert (answer.status_code, f'data-error-code="{code}"' in answer.text) == (status, True)
