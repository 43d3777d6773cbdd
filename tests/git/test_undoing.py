from pathlib import Path

import pytest

from app.git.merging import METHODS, Method, merge_commit, merge_tree
from app.git.refusals import GitRefused
from app.git.undoing import revert_commit, revived_branch
from tests.git.repositories import ADA, commit, make_repository, user

TEN = "".join(f"line {number}\n" for number in range(10))


class Merged:
    """A repository in which a branch of two commits was merged, and work went on."""

    def __init__(self, root: Path) -> None:
        self.place = make_repository(root / "p", {"a": TEN, "mine": "1\n"})
        user(self.place, "checkout", "-q", "-b", "task")
        commit(self.place, {"a": TEN + "task\n"})
        self.tip = commit(self.place, {"new": "n\n"})
        user(self.place, "checkout", "-q", "main")
        self.before = commit(self.place, {"mine": "2\n"})
        self.after = ""

    async def merge(self, method: Method) -> str:
        self.after = await merge_commit(self.place, method, self.before, self.tip, "Merge", author=ADA)
        user(self.place, "reset", "-q", "--hard", self.after)
        return commit(self.place, {"mine": "3\n"})

    def file(self, commit_oid: str, name: str) -> str:
        return user(self.place, "show", f"{commit_oid}:{name}", check=False)


@pytest.fixture
def merged(tmp_path: Path) -> Merged:
    return Merged(tmp_path)


@pytest.mark.parametrize("method", METHODS)
async def test_the_merge_goes_and_later_work_stays(merged: Merged, method: Method) -> None:
    base = await merged.merge(method)
    revert = await revert_commit(merged.place, base, merged.before, merged.after, "Revert", author=ADA)
    assert user(merged.place, "rev-parse", f"{revert}^") == base
    assert merged.file(revert, "a") == TEN.strip()
    assert merged.file(revert, "new") == ""
    assert merged.file(revert, "mine") == "3"


async def test_later_work_that_builds_on_it_is_a_conflict(merged: Merged) -> None:
    await merged.merge("merge")
    base = commit(merged.place, {"new": "built on\n"})
    with pytest.raises(GitRefused) as refused:
        await revert_commit(merged.place, base, merged.before, merged.after, "Revert", author=ADA)
    assert (refused.value.reason, refused.value.paths) == ("conflict", ("new",))


async def test_a_merge_that_is_gone_or_taken_back_already(merged: Merged) -> None:
    base = await merged.merge("squash")
    arguments = (merged.before, merged.after, "Revert")
    with pytest.raises(GitRefused) as gone:
        await revert_commit(merged.place, merged.before, *arguments, author=ADA)
    revert = await revert_commit(merged.place, base, *arguments, author=ADA)
    with pytest.raises(GitRefused) as twice:
        await revert_commit(merged.place, revert, *arguments, author=ADA)
    assert (gone.value.reason, twice.value.reason) == ("moved", "nothing_to_merge")


@pytest.mark.parametrize("method", METHODS)
async def test_the_branch_can_be_merged_again(merged: Merged, method: Method) -> None:
    base = await merged.merge(method)
    revert = await revert_commit(merged.place, base, merged.before, merged.after, "Revert", author=ADA)
    tip = await revived_branch(merged.place, revert, merged.tip, "Reapply", author=ADA)
    assert user(merged.place, "merge-base", "--is-ancestor", merged.tip, tip) == ""
    again = await merge_tree(merged.place, revert, tip)
    assert again.tree
    assert merged.file(again.tree, "a") == (TEN + "task").strip()
    assert merged.file(again.tree, "new") == "n"
    assert merged.file(again.tree, "mine") == "3"
