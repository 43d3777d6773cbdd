from pathlib import Path

import pytest

from app.git.refusals import GitRefused
from app.git.removing import remove
from app.git.repository import inspect
from app.git.returning import return_to_branch
from app.git.snapshots import save
from app.git.worktrees import add
from tests.git.repositories import ADA, commit, user, write

BRANCH = "agent/1/fix"


@pytest.fixture
async def worktree(place: Path, tmp_path: Path) -> Path:
    repo = await inspect(place)
    return (await add(repo, tmp_path / "w", BRANCH, str(repo.head), "agentpane:1")).path


@pytest.mark.parametrize("left", [("checkout", "-q", "-b", "my-own"), ("checkout", "-q", "--detach")])
async def test_commits_made_beside_the_branch_are_its_own(place: Path, worktree: Path, left: tuple[str, ...]) -> None:
    user(worktree, *left)
    commit(worktree, {"one": "1\n"})
    write(worktree, {"two": "2\n"})
    saved = await save(worktree, "Rest", ADA)
    assert await return_to_branch(worktree, BRANCH)
    assert user(worktree, "symbolic-ref", "HEAD") == f"refs/heads/{BRANCH}"
    assert user(place, "rev-parse", BRANCH) == saved.commit
    assert user(worktree, "status", "--porcelain") == ""
    assert not await return_to_branch(worktree, BRANCH)
    await remove(await inspect(place), worktree, "agentpane:1", BRANCH)


async def reason(worktree: Path) -> str:
    before = user(worktree, "rev-parse", "HEAD", BRANCH)
    with pytest.raises(GitRefused) as refused:
        await return_to_branch(worktree, BRANCH)
    assert user(worktree, "rev-parse", "HEAD", BRANCH) == before
    return refused.value.reason


async def test_a_branch_left_behind_is_for_a_person_to_decide(worktree: Path) -> None:
    commit(worktree, {"one": "1\n"})
    user(worktree, "checkout", "-q", "--detach", "HEAD^")
    assert await reason(worktree) == "not_a_fast_forward"


async def test_a_branch_that_somebody_else_has_checked_out(place: Path, worktree: Path) -> None:
    user(worktree, "checkout", "-q", "--detach")
    user(place, "checkout", "-q", BRANCH)
    assert await reason(worktree) == "checked_out"


async def test_in_the_middle_of_a_rebase(worktree: Path) -> None:
    commit(worktree, {"one": "1\n"})
    user(worktree, "-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "-q", "-i", "HEAD^", check=False)
    assert await reason(worktree) == "busy"
