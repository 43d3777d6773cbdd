"""Pruning takes what is stale and needed by no task, shows that first, and keeps every branch and every line."""

import re
import shutil

import msgspec
import pytest

from app.postgres.reading import execute
from app.projects.rows import ProjectRow
from app.worktrees.pruning import Candidate, candidates, prune
from app.worktrees.rows import WorktreeRow, get_worktree
from tests.git.repositories import commit, user
from tests.visitor import Visitor
from tests.work import MARA, add_agent, begin, end


async def left_behind(project: ProjectRow, title: str = "Count the spokes", days: int = 30) -> WorktreeRow:
    """A worktree with a commit and an uncommitted file, that its task, now in Backlog, does not need any more."""
    await add_agent(project.id, name=f"for {title}")
    claim = await begin(project.id, title)
    worktree = await get_worktree(claim.worktree_id)
    commit(worktree.root, {"work.txt": f"{title}\n"}, "Work")
    await end(claim, "stopped")
    (worktree.root / "late.txt").write_text("not committed\n")
    await execute("UPDATE tasks SET \"column\" = 'backlog', agent_id = NULL WHERE id = $1", claim.task_id)
    await execute("UPDATE agents SET status = 'idle', current_task_id = NULL WHERE id = $1", claim.agent_id)
    await age(worktree, days)
    return worktree


async def age(worktree: WorktreeRow, days: int) -> None:
    """As if it was last used so many days ago."""
    await execute(
        "UPDATE worktrees SET created_at = created_at - make_interval(days => $2) WHERE id = $1", worktree.id, days
    )
    await execute(
        "UPDATE agent_runs SET completed_at = completed_at - make_interval(days => $2),"
        " started_at = started_at - make_interval(days => $2) WHERE task_id = $1",
        worktree.task_id,
        days,
    )


async def the_one(project: ProjectRow) -> Candidate:
    (found,) = await candidates(project)
    return found


async def test_what_is_stale_is_shown_as_it_is(project: ProjectRow) -> None:
    worktree = await left_behind(project)
    found = await the_one(project)
    assert (found.known.id, found.known.branch, found.kept_because) == (worktree.id, worktree.branch, "")
    assert (found.uncommitted, found.ahead) == (1, 1)


async def test_pruning_saves_what_is_not_committed_and_keeps_the_branch(project: ProjectRow) -> None:
    worktree = await left_behind(project)
    pruned = await prune(project, [(await the_one(project)).shown], MARA)
    assert (pruned.gone, pruned.stayed) == ((worktree.id,), ())
    assert not worktree.root.exists()
    assert user(project.root, "show", f"{worktree.branch}:late.txt") == "not committed"
    assert user(project.root, "show", f"{worktree.branch}:work.txt") == "Count the spokes"
    assert (await get_worktree(worktree.id)).status == "removed"
    assert await candidates(project) == []


@pytest.mark.parametrize("change", ["an edit", "a commit"])
async def test_what_changed_since_it_was_shown_stays(project: ProjectRow, change: str) -> None:
    worktree = await left_behind(project)
    shown = (await the_one(project)).shown
    if change == "an edit":
        (worktree.root / "late.txt").write_text("more\n")
    else:
        commit(worktree.root, {"more.txt": "more\n"}, "More")
    pruned = await prune(project, [shown], MARA)
    assert (pruned.gone, pruned.stayed) == ((), (worktree.id,))
    assert (worktree.root / "late.txt").exists()
    assert (await get_worktree(worktree.id)).status == "active"


async def test_what_was_not_chosen_stays(project: ProjectRow) -> None:
    one, two = await left_behind(project, "One"), await left_behind(project, "Two")
    shown = {each.known.id: each.shown for each in await candidates(project)}
    assert (await prune(project, [shown[one.id]], MARA)).gone == (one.id,)
    assert two.root.is_dir()


async def test_a_worktree_of_a_task_at_work_or_in_review_is_kept(project: ProjectRow) -> None:
    claim = await begin(project.id, "Still at it")
    worktree = await get_worktree(claim.worktree_id)
    await age(worktree, 99)
    assert (await the_one(project)).kept_because == "The task 'Still at it' works in it."
    commit(worktree.root, {"work.txt": "w\n"}, "Work")
    await end(claim)
    await age(worktree, 99)
    assert "works in it" in (await the_one(project)).kept_because
    assert (await prune(project, [f"{worktree.id}:{user(worktree.root, 'rev-parse', 'HEAD')}:"], MARA)).gone == ()


async def test_a_task_that_is_started_meanwhile_keeps_its_worktree(project: ProjectRow) -> None:
    worktree = await left_behind(project)
    shown = (await the_one(project)).shown
    await execute("UPDATE tasks SET \"column\" = 'in_progress' WHERE id = $1", worktree.task_id)
    assert (await prune(project, [shown], MARA)).stayed == (worktree.id,)
    assert worktree.root.is_dir()


async def test_the_setting_says_what_is_stale(project: ProjectRow) -> None:
    await left_behind(project, days=10)
    assert (await the_one(project)).kept_because == "It was used less than 14 days ago."
    sooner = msgspec.structs.replace(project.config, stale_after_days=9)
    assert (await the_one(msgspec.structs.replace(project, config=sooner))).kept_because == ""


async def test_what_no_commit_would_keep_stays_with_its_reason(project: ProjectRow) -> None:
    worktree = await left_behind(project)
    user(worktree.root, "init", "-q", "inner")
    (worktree.root / "inner" / "x").write_text("x\n")
    user(worktree.root / "inner", "add", ".")
    user(worktree.root / "inner", "commit", "-qm", "Inner")
    assert (await the_one(project)).kept_because == "It holds what no commit would keep: inner"
    shutil.rmtree(worktree.root / "inner")
    user(worktree.root, "checkout", "-q", "--detach")
    assert (await the_one(project)).kept_because == "It has no branch checked out."


async def test_one_whose_folder_is_gone_can_go(project: ProjectRow) -> None:
    worktree = await left_behind(project)
    tip = user(worktree.root, "rev-parse", "HEAD")
    shutil.rmtree(worktree.root)
    assert (await prune(project, [(await the_one(project)).shown], MARA)).gone == (worktree.id,)
    assert user(project.root, "rev-parse", worktree.branch) == tip


async def test_a_repository_that_is_gone_keeps_everything(project: ProjectRow) -> None:
    await left_behind(project)
    project.root.rename(project.root.with_name("elsewhere"))
    assert "cannot be looked at" in (await the_one(project)).kept_because


@pytest.mark.parametrize("by_htmx", [False, True])
async def test_the_page_shows_what_goes_and_then_which_branches_are_kept(
    visitor: Visitor, project: ProjectRow, by_htmx: bool
) -> None:
    path = f"/projects/{project.id}/worktrees/prune"
    assert "Nothing is stale" in await visitor.page(path)
    worktree = await left_behind(project, "Fix <it>")
    claim = await begin(project.id, "Still at it")
    page = await visitor.page(path)
    assert "Fix &lt;it&gt;" in page
    assert "with 1 commit not in" in page
    assert "and 1 file committed now" in page
    assert "The task &#39;Still at it&#39; works in it." in page
    answer = await (visitor.send_htmx if by_htmx else visitor.send)(path, path)
    address = answer.headers["hx-redirect" if by_htmx else "location"]
    assert address == f"{path}?gone={worktree.id}&stayed="
    result = await visitor.page(address)
    assert "1 worktree is gone. Every branch is kept." in result
    assert re.search(rf"<li><code>{worktree.branch}</code>: with 2 commits not in", result)
    assert (await get_worktree(claim.worktree_id)).root.is_dir()


async def test_the_page_says_what_stayed(visitor: Visitor, project: ProjectRow) -> None:
    worktree = await left_behind(project)
    path = f"/projects/{project.id}/worktrees/prune"
    await visitor.page(path)
    shown = (await the_one(project)).shown
    (worktree.root / "late.txt").write_text("more\n")
    answer = await visitor.post(path, page=path, worktree=shown)
    assert "It is not as it was shown any more" in await visitor.page(answer.headers["location"])


async def test_pruning_nothing_changes_nothing(visitor: Visitor, project: ProjectRow) -> None:
    path = f"/projects/{project.id}/worktrees/prune"
    for shown in ("", "x", "a:b:c", "9" * 200):
        answer = await visitor.post(path, worktree=shown)
        assert answer.status_code == 303
        assert (await visitor.get(answer.headers["location"])).status_code == 200
