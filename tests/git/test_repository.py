from pathlib import Path

import pytest

from app.git.refusals import GitRefused
from app.git.repository import (
    branch_in_the_way,
    branch_oid,
    branches,
    check_branch_name,
    default_branch,
    inspect,
)
from tests.git.repositories import commit, make_repository, user


async def refusal(path: Path) -> str:
    with pytest.raises(GitRefused) as refused:
        await inspect(path)
    assert refused.value.message.endswith((".", "'"))
    return refused.value.reason


async def test_a_repository_seen_from_its_top(place: Path) -> None:
    repo = await inspect(place)
    assert (repo.root, repo.prefix, repo.path) == (place, "", place)
    assert (repo.common_dir, repo.git_dir, repo.is_linked) == (place / ".git", place / ".git", False)
    assert (repo.head_branch, repo.head) == ("main", user(place, "rev-parse", "HEAD"))
    assert (repo.user_name, repo.user_email) == (None, None)


async def test_one_repository_has_one_path_whatever_symlinks_lead_to_it(place: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(place)
    assert await inspect(tmp_path / "link") == await inspect(place)
    inside = await inspect(tmp_path / "link" / "src")
    assert (inside.root, inside.prefix, inside.path) == (place, "src/", place / "src")


async def test_a_linked_worktree_knows_its_repository(place: Path, tmp_path: Path) -> None:
    user(place, "worktree", "add", "-q", "-b", "side", tmp_path / "mit Leerzeichen ü")
    repo = await inspect(tmp_path / "mit Leerzeichen ü")
    assert repo.is_linked
    assert (repo.common_dir, repo.head_branch) == (place / ".git", "side")


async def test_identity_and_detached_head(place: Path) -> None:
    user(place, "config", "user.name", "Una = User")
    user(place, "config", "user.email", "una@example.org")
    user(place, "checkout", "-q", "--detach")
    repo = await inspect(place)
    assert (repo.user_name, repo.user_email, repo.head_branch) == ("Una = User", "una@example.org", None)


async def test_folders_that_cannot_be_a_project(tmp_path: Path, place: Path) -> None:
    (tmp_path / "plain").mkdir()
    user(tmp_path, "init", "-q", "--bare", tmp_path / "bare.git")
    assert await refusal(tmp_path / "plain") == "not_a_repository"
    assert await refusal(tmp_path / "nowhere") == "not_a_repository"
    assert await refusal(place / "a.txt") == "not_a_repository"
    assert await refusal(place / ".git") == "not_a_repository"
    assert await refusal(tmp_path / "bare.git") == "bare"


async def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    empty = make_repository(tmp_path / "empty", {})
    assert await refusal(empty) == "no_commit"
    repo = await inspect(empty, empty_ok=True)
    assert (repo.has_commit, repo.head_branch) == (False, "main")


async def test_a_repository_of_somebody_else(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # git's own switch for its tests: everything then counts as owned by another user.
    monkeypatch.setattr("app.git.environment._FIXED", {**_fixed(), "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    assert await refusal(place) == "dubious_ownership"


def _fixed() -> dict[str, str]:
    from app.git import environment

    return environment._FIXED


async def test_branches(place: Path) -> None:
    commit(place, {"a.txt": "two\n"})
    user(place, "branch", "feature/ü", "HEAD^")
    repo = await inspect(place)
    found = await branches(repo)
    assert {branch.name for branch in found} == {"main", "feature/ü"}
    assert await branch_oid(repo, "feature/ü") == user(place, "rev-parse", "HEAD^")
    assert await branch_oid(repo, "nowhere") is None


async def test_the_base_is_what_the_remote_says_else_main(place: Path) -> None:
    user(place, "checkout", "-q", "-b", "feature")
    assert await default_branch(await inspect(place)) == "main"
    user(place, "branch", "trunk")
    user(place, "update-ref", "refs/remotes/origin/trunk", "HEAD")
    user(place, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    assert await default_branch(await inspect(place)) == "trunk"


@pytest.mark.parametrize("name", ["agent/abc123/fix-it", "ü/ß", "a.b", "UPPER"])
async def test_good_names(name: str) -> None:
    await check_branch_name(name)


@pytest.mark.parametrize(
    "name", ["", "-x", "a b", "a..b", "HEAD", "@{-1}", "a~1", "x.lock", "/a", "a/", "a\nb", "a\0b"]
)
async def test_bad_names(name: str) -> None:
    with pytest.raises(GitRefused) as refused:
        await check_branch_name(name)
    assert refused.value.reason == "bad_branch_name"


async def test_names_that_cannot_stand_beside_another(place: Path) -> None:
    repo = await inspect(place)
    assert await branch_in_the_way(repo, "MAIN") == "main"
    assert await branch_in_the_way(repo, "main/sub") == "main"
    user(place, "branch", "agent/x")
    assert await branch_in_the_way(repo, "agent") == "agent/x"
    assert await branch_in_the_way(repo, "agent/y") is None
