"""The base comes into a branch in its worktree: merged, or waiting to be resolved with nothing of either side gone."""

from pathlib import Path

import pytest

from app.git.refusals import GitRefused
from app.git.snapshots import save
from app.git.unresolved import left_unresolved
from app.git.updating import bring_in
from tests.git.pictures import picture
from tests.git.repositories import ADA, Content, commit, make_repository, user, write

TEN = "".join(f"line {number}\n" for number in range(10))


def fork(tmp_path: Path, ours: dict[str, Content], theirs: dict[str, Content]) -> tuple[Path, str]:
    """The worktree of a branch with `theirs`, and the tip of main with `ours`."""
    root = make_repository(tmp_path / "p", {"a": TEN, "img": b"\0old", ".gitignore": "*.env\n"})
    user(root, "worktree", "add", "-q", "-b", "side", tmp_path / "w")
    commit(tmp_path / "w", theirs, "Theirs")
    return tmp_path / "w", commit(root, ours, "Ours")


async def left(worktree: Path, main: str) -> tuple[str, ...]:
    head, tree = user(worktree, "rev-parse", "HEAD", "HEAD^{tree}").split()
    return await left_unresolved(worktree, main, head, tree)


async def test_what_merges_clean_is_a_merge_commit(tmp_path: Path) -> None:
    worktree, main = fork(tmp_path, {"a": "first\n" + TEN}, {"a": TEN + "last\n"})
    head = user(worktree, "rev-parse", "HEAD")
    update = await bring_in(worktree, "side", main, "Merge main", ADA)
    assert user(worktree, "rev-parse", "HEAD", "HEAD^@").split() == [update.commit, head, main]
    assert (worktree / "a").read_text() == f"first\n{TEN}last\n"
    assert user(worktree, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("ours", "theirs", "path"),
    [
        ({"a": "ours\n"}, {"a": "theirs\n"}, "a"),
        ({"img": b"\0ours"}, {"img": b"\0theirs"}, "img"),
        ({"a": "ours\n"}, {"a": None}, "a"),
        ({"a": None}, {"a": "theirs\n"}, "a"),
        ({'naïve "x" ': "ours\n"}, {'naïve "x" ': "theirs\n"}, 'naïve "x" '),
    ],
    ids=["contents", "binary", "deleted by the agent", "deleted in main", "both added"],
)
async def test_conflicts_wait_in_the_worktree_and_are_known_until_somebody_resolves_them(
    tmp_path: Path, ours: dict[str, Content], theirs: dict[str, Content], path: str
) -> None:
    worktree, main = fork(tmp_path, ours, theirs)
    head = user(worktree, "rev-parse", "HEAD")
    update = await bring_in(worktree, "side", main, "Merge main", ADA)
    assert update.commit is None
    assert {conflict.path for conflict in update.trial.conflicts} == {path}
    assert user(worktree, "rev-parse", "HEAD", "MERGE_HEAD").split() == [head, main]
    assert path in user(worktree, "-c", "core.quotePath=false", "diff", "-z", "--name-only", "--diff-filter=U")
    # The end of a run saves it as it is.
    await save(worktree, "Run 2", ADA)
    assert user(worktree, "rev-parse", "HEAD^@").split() == [head, main]
    assert len(await left(worktree, main)) == 1
    # A later commit of the file is its resolution, and other files are none.
    commit(worktree, {"other": "o\n"})
    assert len(await left(worktree, main)) == 1
    commit(worktree, {path: "resolved\n"})
    assert await left(worktree, main) == ()
    assert user(worktree, "fsck", "--strict", "--full", "--no-dangling") == ""


async def test_ignored_files_and_unsaved_work_are_not_overwritten(tmp_path: Path) -> None:
    worktree, main = fork(tmp_path, {"a": "ours\n"}, {"a": "theirs\n"})
    root = tmp_path / "p"
    write(root, {"x.env": "tracked by mistake\n"})
    user(root, "add", "-f", "x.env")
    main = commit(root, {}, "Tracked")
    for files, reason in (({"x.env": "SECRET=1\n"}, "in_the_way"), ({"a": "unsaved\n"}, "dirty")):
        write(worktree, files)
        before = picture(worktree)
        with pytest.raises(GitRefused) as refused:
            await bring_in(worktree, "side", main, "Merge main", ADA)
        assert (refused.value.reason, refused.value.paths) == (reason, tuple(files))
        assert picture(worktree) == before
        user(worktree, "clean", "-fdxq")


async def test_another_branch_or_another_merge_is_left_alone(tmp_path: Path) -> None:
    worktree, main = fork(tmp_path, {"a": "ours\n"}, {"a": "theirs\n"})
    await bring_in(worktree, "side", main, "Merge main", ADA)
    before = picture(worktree)
    with pytest.raises(GitRefused) as refused:
        await bring_in(worktree, "side", main, "Merge main", ADA)
    assert refused.value.reason == "busy"
    assert picture(worktree) == before
    user(worktree, "merge", "--abort")
    user(worktree, "switch", "-q", "-c", "elsewhere")
    with pytest.raises(GitRefused) as refused:
        await bring_in(worktree, "side", main, "Merge main", ADA)
    assert refused.value.reason == "not_on_base"
