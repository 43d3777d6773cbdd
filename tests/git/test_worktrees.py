import asyncio
from pathlib import Path

import pytest

from app.git.checkouts import Checkout, checkouts
from app.git.refusals import GitError, GitRefused
from app.git.removing import Removed, remove, take_back_removal
from app.git.repository import Repository, inspect
from app.git.worktrees import add, attach, delete_branch, hide
from tests.git.repositories import commit, state, user, write

BRANCH = "agent/1/fix"
MARK = "agentpane:1"


@pytest.fixture
async def repo(place: Path) -> Repository:
    return await inspect(place)


async def made(repo: Repository, path: Path, branch: str = BRANCH, mark: str = MARK) -> Checkout:
    assert repo.head
    return await add(repo, path, branch, repo.head, mark)


async def refusal(work: object) -> str:
    with pytest.raises(GitRefused) as refused:
        await work  # type: ignore[misc]
    return refused.value.reason


async def test_a_worktree_is_made_locked_and_marked(repo: Repository, tmp_path: Path) -> None:
    found = await made(repo, tmp_path / "in a new folder" / "wörk tree")
    assert (found.branch, found.head, found.lock_reason) == (BRANCH, repo.head, MARK)
    assert found.is_ours
    assert (found.path / "src" / "b.py").read_text() == "b = 1\n"
    assert user(found.path, "status", "--porcelain") == ""
    assert "branch." not in user(repo.root, "config", "--list", "--local")


async def test_made_twice_is_made_once(repo: Repository, tmp_path: Path) -> None:
    first = await made(repo, tmp_path / "w")
    write(first.path, {"work.txt": "kept\n"})
    assert await made(repo, tmp_path / "w") == first
    assert (first.path / "work.txt").exists()


async def test_names_and_places_that_are_taken(repo: Repository, tmp_path: Path) -> None:
    before = state(repo.root)
    assert await refusal(made(repo, tmp_path / "w", branch="main")) == "branch_exists"
    assert await refusal(made(repo, tmp_path / "w", branch="main/sub")) == "branch_exists"
    assert await refusal(made(repo, tmp_path / "w", branch="-x")) == "bad_branch_name"
    assert await refusal(add(repo, tmp_path / "w", BRANCH, "1" * 40, MARK)) == "base_missing"
    (tmp_path / "empty").mkdir()
    write(tmp_path, {"file": "mine\n", "full/file": "mine\n"})
    for name in ("empty", "file", "full"):
        assert await refusal(made(repo, tmp_path / name)) == "path_exists"
    assert await refusal(made(repo, repo.root)) == "path_exists"
    assert state(repo.root) == before
    assert (tmp_path / "full" / "file").read_text() == "mine\n"


async def test_another_worktree_in_the_place(repo: Repository, tmp_path: Path) -> None:
    await made(repo, tmp_path / "w")
    assert await refusal(made(repo, tmp_path / "w", mark="agentpane:2")) == "path_exists"
    assert await refusal(made(repo, tmp_path / "w", branch="agent/1/other")) == "path_exists"


async def test_a_failing_checkout_leaves_nothing(place: Path, tmp_path: Path) -> None:
    commit(place, {".gitattributes": "*.bin filter=gone\n", "x.bin": "x\n"})
    user(place, "config", "filter.gone.smudge", "this-program-is-not-installed")
    user(place, "config", "filter.gone.required", "true")
    repo = await inspect(place)
    with pytest.raises(GitError, match=r"x\.bin"):
        await made(repo, tmp_path / "w")
    assert not (tmp_path / "w").exists()
    assert user(place, "branch", "--list", "agent/*") == ""
    assert len(await checkouts(place)) == 1


async def test_an_attempt_cut_off_before_the_files_is_taken_up(repo: Repository, tmp_path: Path) -> None:
    user(
        repo.root, "update-ref", "--create-reflog", "-m", f"agentpane: made for {MARK}", f"refs/heads/{BRANCH}", "HEAD"
    )
    assert (await made(repo, tmp_path / "w")).branch == BRANCH


async def test_an_attempt_cut_off_while_git_wrote_files_is_taken_up(repo: Repository, tmp_path: Path) -> None:
    place = await made(repo, tmp_path / "w")
    git_dir = Path(user(place.path, "rev-parse", "--absolute-git-dir"))
    (git_dir / "index").rename(git_dir / "index.lock")
    (place.path / "a.txt").unlink()
    assert user((await made(repo, tmp_path / "w")).path, "status", "--porcelain") == ""


async def test_a_worktree_whose_folder_vanished_is_made_again(repo: Repository, tmp_path: Path) -> None:
    place = await made(repo, tmp_path / "w")
    place.path.rename(tmp_path / "elsewhere")
    assert (await attach(repo, tmp_path / "w", BRANCH, MARK)).path.is_dir()


async def test_an_existing_branch_is_attached_with_its_commits(repo: Repository, tmp_path: Path) -> None:
    place = await made(repo, tmp_path / "w")
    tip = commit(place.path, {"work.txt": "w\n"})
    await remove(repo, place.path, MARK, BRANCH)
    again = await attach(repo, tmp_path / "w2", BRANCH, MARK)
    assert again.head == tip
    assert await refusal(attach(repo, tmp_path / "w3", "agent/1/none", MARK)) == "base_missing"


async def test_a_project_in_a_subfolder_and_a_linked_project(repo: Repository, tmp_path: Path) -> None:
    sub = await inspect(repo.root / "src")
    place = await made(sub, tmp_path / "w")
    assert (place.path / sub.prefix / "b.py").exists()
    user(repo.root, "worktree", "add", "-q", "-b", "linked", tmp_path / "linked")
    linked = await inspect(tmp_path / "linked")
    other = await made(linked, tmp_path / "linked" / ".worktrees" / "w", "agent/2/x", "agentpane:2")
    assert other.lock_reason == "agentpane:2"


async def test_hooks_of_others_do_not_run(repo: Repository, tmp_path: Path) -> None:
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        hook = repo.root / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 3\n")
        hook.chmod(0o755)
    place = await made(repo, tmp_path / "w")
    await remove(repo, place.path, MARK, BRANCH)
    assert not (tmp_path / "ran").exists()


async def test_eight_at_once(repo: Repository, tmp_path: Path) -> None:
    names = [f"agent/{number}/x" for number in range(8)]
    places = await asyncio.gather(*(made(repo, tmp_path / name, name, f"agentpane:{name}") for name in names))
    assert [place.branch for place in places] == names
    assert len(await checkouts(repo.root)) == 9


async def test_cancelled_in_the_middle_is_complete_all_the_same(repo: Repository, tmp_path: Path) -> None:
    making = asyncio.create_task(made(repo, tmp_path / "w"))
    async with asyncio.timeout(10):
        while not user(repo.root, "branch", "--list", "agent/*"):
            await asyncio.sleep(0)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert user(tmp_path / "w", "status", "--porcelain") == ""


async def test_removing_takes_ignored_files_and_says_so(repo: Repository, tmp_path: Path) -> None:
    place = await made(repo, tmp_path / "w")
    tip = commit(place.path, {".gitignore": ".env\nbuild/\n", "work.txt": "w\n"})
    write(place.path, {".env": "s\n", "build/x": "x\n"})
    assert await remove(repo, place.path, MARK, BRANCH) == Removed(ignored=(".env", "build/"))
    assert not place.path.exists()
    assert user(repo.root, "rev-parse", BRANCH) == tip
    assert await remove(repo, place.path, MARK, BRANCH) == Removed(had_vanished=True)


@pytest.mark.parametrize("name", ["a.txt", "untracked.txt"])
async def test_unsaved_work_stays(repo: Repository, tmp_path: Path, name: str) -> None:
    place = await made(repo, tmp_path / "w")
    write(place.path, {name: "unsaved\n"})
    assert await refusal(remove(repo, place.path, MARK, BRANCH)) == "unsaved"
    assert (place.path / name).read_text() == "unsaved\n"
    assert (await checkouts(repo.root))[1].lock_reason == MARK


async def test_only_ours_is_removed(repo: Repository, tmp_path: Path) -> None:
    place = await made(repo, tmp_path / "w")
    user(repo.root, "worktree", "add", "-q", "-b", "side", tmp_path / "theirs")
    (tmp_path / "folder").mkdir()
    for path in (repo.root, tmp_path, tmp_path / "theirs", tmp_path / "folder", place.path / "src"):
        assert await refusal(remove(repo, path, MARK, BRANCH)) == "not_ours"
        assert path.exists()
    assert await refusal(remove(repo, place.path, "agentpane:2", BRANCH)) == "not_ours"


@pytest.mark.parametrize("deleted", [(), ("a.txt",), ("a.txt", ".git")], ids=["before", "amid files", "after the link"])
async def test_a_removal_that_was_cut_off_is_taken_back_before_anything_is_saved(
    repo: Repository, tmp_path: Path, deleted: tuple[str, ...]
) -> None:
    place = await made(repo, tmp_path / "w")
    git_dir = Path(user(place.path, "rev-parse", "--absolute-git-dir"))
    (git_dir / "agentpane-removing").write_text(MARK)
    user(repo.root, "worktree", "unlock", place.path)
    for name in deleted:
        (place.path / name).unlink()
    assert not await take_back_removal(repo, place.path, "agentpane:2")
    assert await take_back_removal(repo, place.path, MARK)
    assert user(place.path, "status", "--porcelain") == ""
    assert (place.path / "a.txt").exists()
    assert not await take_back_removal(repo, place.path, MARK)
    assert await remove(repo, place.path, MARK, BRANCH) == Removed()


async def test_a_lock_that_a_person_took_off_is_not_ours(repo: Repository, tmp_path: Path) -> None:
    place = await made(repo, tmp_path / "w")
    user(repo.root, "worktree", "unlock", place.path)
    assert not await take_back_removal(repo, place.path, MARK)
    assert await refusal(remove(repo, place.path, MARK, BRANCH)) == "not_ours"


async def test_commits_on_a_detached_head_are_not_lost(repo: Repository, tmp_path: Path) -> None:
    place = await made(repo, tmp_path / "w")
    user(place.path, "checkout", "-q", "--detach")
    commit(place.path, {"only.txt": "here\n"})
    assert await refusal(remove(repo, place.path, MARK, BRANCH)) == "moved"
    assert (place.path / "only.txt").exists()


async def test_a_folder_that_vanished_is_cleared(repo: Repository, tmp_path: Path) -> None:
    place = await made(repo, tmp_path / "w")
    place.path.rename(tmp_path / "elsewhere")
    assert await remove(repo, place.path, MARK, BRANCH) == Removed(had_vanished=True)
    assert len(await checkouts(repo.root)) == 1


async def test_a_deleted_branch_is_kept_in_the_archive(repo: Repository, tmp_path: Path) -> None:
    place = await made(repo, tmp_path / "w")
    tip = commit(place.path, {"work.txt": "w\n"})
    archive = "refs/agentpane/archive/1"
    assert await refusal(delete_branch(repo, BRANCH, tip, archive)) == "checked_out"
    await remove(repo, place.path, MARK, BRANCH)
    assert await refusal(delete_branch(repo, BRANCH, str(repo.head), archive)) == "moved"
    await delete_branch(repo, BRANCH, tip, archive)
    assert user(repo.root, "branch", "--list", "agent/*") == ""
    assert user(repo.root, "rev-parse", archive) == tip


async def test_hidden_from_status_of_every_copy(repo: Repository) -> None:
    write(repo.root / ".git", {"info/exclude": "# no line end"})
    await hide(repo, ".worktrees/")
    await hide(repo, ".worktrees/")
    await made(repo, repo.root / ".worktrees" / "w")
    assert user(repo.root, "status", "--porcelain") == ""
    assert (repo.root / ".git" / "info" / "exclude").read_text() == "# no line end\n/.worktrees/\n"


async def test_hidden_below_a_subfolder_with_odd_letters(repo: Repository) -> None:
    odd = repo.root / "a [b] *c"
    write(odd, {"x": "x\n"})
    commit(repo.root, {})
    sub = await inspect(odd)
    await hide(sub, ".worktrees")
    await made(sub, odd / ".worktrees" / "w")
    assert user(repo.root, "status", "--porcelain") == ""
