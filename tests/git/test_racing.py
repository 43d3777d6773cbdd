"""A person keeps committing while merges arrive: nothing mixes, and nothing is lost."""

import asyncio
import random
from pathlib import Path

from app.git.advancing import advance
from app.git.commits import commit_tree
from app.git.refs import require
from app.git.refusals import GitRefused
from app.git.repository import inspect
from app.git.running import git
from tests.git.benches import Unchecked
from tests.git.repositories import ADA, USER_ENVIRONMENT, make_repository, user

ROUNDS = 10


async def test_merges_and_a_committing_person(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "copy", {"mine": "0\n", "agent/x": "x\n"})
    stop = asyncio.Event()
    person = asyncio.create_task(keep_committing(root, stop))
    try:
        async with asyncio.timeout(60):
            merged = [await merge_patiently(root, f"agent/{number}") for number in range(ROUNDS)]
    finally:
        stop.set()
    commits = await person

    assert commits > 0
    assert any(merged)
    assert user(root, "status", "--porcelain") in ("", "M mine")
    assert {name: (root / name).exists() for name in merged} == dict.fromkeys(merged, True)
    mine = user(root, "log", "--format=%H", "--grep=^Mine", "main").split()
    assert len(mine) == commits
    for made in mine:
        assert user(root, "diff-tree", "-r", "--name-only", "--no-commit-id", made) == "mine"


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


async def keep_committing(root: Path, stop: asyncio.Event) -> int:
    done = 0
    while not stop.is_set():
        (root / "mine").write_text(f"{done + 1}\n")
        process = await asyncio.create_subprocess_exec(
            "git", "commit", "-q", "-a", "-m", "Mine", cwd=root, env=USER_ENVIRONMENT, stderr=asyncio.subprocess.DEVNULL
        )
        done += await process.wait() == 0
        await asyncio.sleep(random.uniform(0, 0.3))  # people pause, too
    return done


async def merge_patiently(root: Path, name: str) -> str:
    """One merge of a new file, tried again as a page would while the person's git is at work."""
    while True:
        repo = await inspect(root)
        old = await require(root, "refs/heads/main")
        try:
            await advance(repo, "main", old, await commit_with(root, old, name), Unchecked())
        except GitRefused as refused:
            if refused.reason not in ("busy", "moved"):
                raise
        else:
            return name


async def commit_with(root: Path, parent: str, name: str) -> str:
    """A commit on `parent` that adds the file `name`, made away from the copy."""
    index = root.parent / f"index-{name.replace('/', '-')}"
    content = (await git(root, "hash-object", "-w", "--stdin", input=b"agent\n")).text
    await git(root, "read-tree", parent, index=index)
    await git(root, "update-index", "--add", "--cacheinfo", f"100644,{content},{name}", index=index)
    tree = (await git(root, "write-tree", index=index)).text
    return await commit_tree(root, tree, [parent], f"Agent {name}", ADA)
