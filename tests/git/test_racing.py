"""A person keeps committing while merges arrive: none is lost, none mixes, and none is reverted."""

import asyncio
import itertools
from pathlib import Path

import pytest

from app.git.advancing import advance
from app.git.commits import commit_tree
from app.git.merging import METHODS, Method, merge_commit
from app.git.refs import require
from app.git.refusals import GitRefused
from app.git.repository import inspect
from app.git.running import git
from tests.git.benches import Unchecked
from tests.git.racing import Race, committing_person, require_nothing_lost
from tests.git.repositories import ADA, make_repository, user


@pytest.mark.parametrize("rounds", [15, pytest.param(200, marks=pytest.mark.soak)])
async def test_merges_and_a_committing_person(tmp_path: Path, rounds: int, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_repository(tmp_path / "copy", {"mine": "0\n", "agent/x": "x\n"})
    first = user(root, "rev-parse", "main")
    async with asyncio.timeout(6 * rounds), committing_person(root) as race:
        for number, method in zip(range(rounds), itertools.cycle(METHODS), strict=False):
            name = f"agent/{number}"
            await merge_patiently(race, await commit_with(root, first, name), method)
            race.merged.append(name)
    assert all((root / name).read_text() == "agent\n" for name in race.merged)
    require_nothing_lost(race)
    with capsys.disabled():
        print(race.line("raced with advance()"))


async def test_of_two_merges_at_once_one_wins(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "copy", {"mine": "0\n"})
    repo = await inspect(root)
    old = await require(root, "refs/heads/main")
    goals = [await commit_with(root, old, name) for name in ("one", "two")]
    ends = await asyncio.gather(
        *(advance(repo, "main", old, goal, Unchecked()) for goal in goals), return_exceptions=True
    )
    refusals = [end for end in ends if isinstance(end, GitRefused)]
    assert [refused.reason for refused in refusals] in (["busy"], ["moved"])
    assert [end for end in ends if not isinstance(end, GitRefused)] == [root]
    assert user(root, "status", "--porcelain") == ""
    assert (root / "one").exists() != (root / "two").exists()


async def merge_patiently(race: Race, head: str, method: Method) -> None:
    """One merge, tried again as a page would while the person's git is at work."""
    repo = await inspect(race.root)
    while True:
        old = await require(race.root, "refs/heads/main")
        new = await merge_commit(race.root, method, old, head, f"Merge {head[:7]}", author=ADA)
        try:
            await advance(repo, "main", old, new, Unchecked())
        except GitRefused as refused:
            if refused.reason not in ("busy", "moved"):
                raise
            race.told(refused.reason)
        else:
            return


async def commit_with(root: Path, parent: str, name: str) -> str:
    """A commit on `parent` that adds the file `name`, made away from the copy."""
    index = root.parent / f"index-{name.replace('/', '-')}"
    content = (await git(root, "hash-object", "-w", "--stdin", input=b"agent\n")).text
    await git(root, "read-tree", parent, index=index)
    await git(root, "update-index", "--add", "--cacheinfo", f"100644,{content},{name}", index=index)
    tree = (await git(root, "write-tree", index=index)).text
    return await commit_tree(root, tree, [parent], f"Agent {name}", ADA)
