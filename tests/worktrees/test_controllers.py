"""The list of worktrees, and removing one by hand without losing its work."""

import os
import re
import shutil
from pathlib import Path

import msgspec
import pytest

from app.postgres.reading import execute
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from app.projects.tables import Project
from app.runs.cancelling import cancel
from app.runs.claiming import claim_next
from app.tasks.rows import get_task
from app.worktrees.creating import SetupFailed, prepare
from app.worktrees.measuring import measure_next
from app.worktrees.rows import get_worktree
from app.worktrees.states import change
from tests.git.repositories import commit, user
from tests.visitor import Visitor
from tests.work import MARA, add_agent, begin, end, queue
from tests.workshop import Workshop


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


async def test_a_worktree_tells_its_number_its_ports_and_how_far_its_branch_is(
    visitor: Visitor, project: ProjectRow
) -> None:
    claim = await begin(project.id)
    worktree = await get_worktree(claim.worktree_id)
    commit(worktree.root, {"work.txt": "w\n"}, "Work")
    commit(project.root, {"base.txt": "b\n"}, "Meanwhile")
    (worktree.root / "large").write_bytes(os.urandom(5_000_000))
    assert await measure_next() == worktree.id
    page = await visitor.page(f"/projects/{project.id}/worktrees")
    assert "number 1, ports 20000 to 20009" in page
    assert "1 ahead, 1 behind" in page
    assert re.search(r"<span>5\.\d MB on disk</span>", page)
    assert re.search(r"<span>5\.\d MB <span class=\"faint\"><time[^>]*>\d+ s</time> ago</span>", page)
    assert "Number 1, ports 20000 to 20009" in await visitor.page(f"/tasks/{claim.task_id}")


@pytest.mark.parametrize("where", ["task", "worktrees"])
async def test_a_set_up_that_failed_is_retried_and_goes_on_at_that_step(
    visitor: Visitor, workshop: Workshop, where: str
) -> None:
    await configure(workshop.project, install_command=("sh", "-c", "echo once >> ../begun; test -e ../ready"))
    bob = await workshop.agent("bob", "echo done > done.txt")
    task = await workshop.until(await workshop.task("Say it", agent=bob), "error")
    page = f"/tasks/{task.id}" if where == "task" else f"/projects/{task.project_id}/worktrees"
    root = (await get_worktree(task.worktree_id or "")).root
    (root.parent / "ready").touch()
    panel = (await visitor.page(page)).split('class="steps"')[1]
    assert f'action="/agents/{bob.id}/retry"' in panel
    answer = await visitor.send(page, f"/agents/{bob.id}/retry")
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    await workshop.until(task, "review")
    assert (root / "done.txt").exists()
    assert (root.parent / "begun").read_text() == "once\nonce\n"


@pytest.mark.parametrize("by_htmx", [False, True])
async def test_a_lost_worktree_is_shown_and_made_again(visitor: Visitor, project: ProjectRow, by_htmx: bool) -> None:
    claim = await begin(project.id)
    worktree = await get_worktree(claim.worktree_id)
    commit(worktree.root, {"work.txt": "w\n"}, "Work")
    await end(claim)
    shutil.rmtree(worktree.root)
    path, action = f"/projects/{project.id}/worktrees", f"/worktrees/{worktree.id}/restore"
    assert f"The folder {worktree.path} is gone." in await visitor.page(path)
    answer = await (visitor.send_htmx if by_htmx else visitor.send)(path, action)
    assert answer.headers["hx-redirect" if by_htmx else "location"] == path
    assert (worktree.root / "work.txt").exists()
    page = await visitor.page(path)
    assert "is gone" not in page
    assert page.count("with the next run") == 2
    again = await visitor.post(action)
    assert (again.status_code, "nothing to mend" in again.text) == (409, True)


async def test_the_page_of_a_task_offers_to_make_its_lost_worktree_again(visitor: Visitor, project: ProjectRow) -> None:
    claim = await begin(project.id)
    worktree = await get_worktree(claim.worktree_id)
    commit(worktree.root, {"work.txt": "w\n"}, "Work")
    await end(claim)
    shutil.rmtree(worktree.root)
    async with locked(project.id):
        await change(worktree, "fail", error="It is gone.")
    page = f"/tasks/{claim.task_id}"
    answer = await visitor.send(page, f"/worktrees/{worktree.id}/restore")
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert (worktree.root / "work.txt").exists()


async def test_a_step_is_carried_out_again_by_the_next_run(visitor: Visitor, project: ProjectRow) -> None:
    (project.root / ".env").write_text("KEY=1\n")
    commit(project.root, {".gitignore": ".env\n"})
    await configure(project, env_file=".env")
    claim = await begin(project.id)
    worktree = await get_worktree(claim.worktree_id)
    path, action = f"/projects/{project.id}/worktrees", f"/worktrees/{worktree.id}/steps/env/again"
    at_work = await visitor.post(action)
    assert (at_work.status_code, "at work" in at_work.text) == (409, True)
    await end(claim)
    (project.root / ".env").write_text("KEY=2\n")
    assert (await visitor.send(path, action)).headers["location"] == path
    assert "with the next run" in await visitor.page(path)
    await prepare(worktree.id, {"PATH": "/usr/bin:/bin"})
    assert (worktree.root / ".env").read_text() == "KEY=2\n"
    for name in ("add", "nothing"):
        assert (await visitor.post(f"/worktrees/{worktree.id}/steps/{name}/again")).status_code == 404


async def test_a_worktree_that_no_row_knows_is_shown_saved_and_removed(visitor: Visitor, project: ProjectRow) -> None:
    claim = await begin(project.id)
    worktree = await get_worktree(claim.worktree_id)
    await end(claim, "stopped")
    (worktree.root / "late.txt").write_text("not committed\n")
    await execute("DELETE FROM worktrees")
    path, action = f"/projects/{project.id}/worktrees", f"/projects/{project.id}/worktrees/clear"
    assert "Not in the database" in await visitor.page(path)
    stale = await visitor.send(path, action, head="0" * 40)
    assert (stale.status_code, worktree.root.is_dir()) == (409, True)
    answer = await visitor.send(path, action)
    assert answer.status_code == 303
    page = await visitor.page(answer.headers["location"])
    assert f"Its work is kept on <code>{worktree.branch}</code>" in page
    assert "Not in the database" not in page
    assert user(project.root, "show", f"{worktree.branch}:late.txt") == "not committed"
    assert "kept on" not in await visitor.page(f"{path}?cleared=no/such/branch")


async def test_the_page_says_when_the_repository_is_gone(visitor: Visitor, project: ProjectRow) -> None:
    await begin(project.id)
    project.root.rename(project.root.with_name("elsewhere"))
    page = await visitor.page(f"/projects/{project.id}/worktrees")
    assert "The repository cannot be looked at." in page
    assert "ahead" not in page


async def configure(project: ProjectRow, **settings: object) -> None:
    config = msgspec.structs.replace(project.config, **settings)
    await Project.update({Project.config: config.to_json()}).where(Project.id == project.id)
