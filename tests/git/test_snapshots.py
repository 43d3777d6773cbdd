from pathlib import Path

from app.git.diffs import changed_files, patch
from app.git.merging import merge_commit, merge_tree
from app.git.repository import inspect
from app.git.snapshots import save, snapshot
from app.git.worktrees import add, remove
from tests.git.repositories import ADA, user, write


async def test_smoke(place: Path, tmp_path: Path) -> None:
    repo = await inspect(place)
    wt = await add(repo, tmp_path / "wt", "agent/x/y", repo.head, "agentpane:1")
    write(wt.path, {"new file.txt": "x\n", "a.txt": "two\n"})
    s = await snapshot(wt.path)
    ch = await changed_files(wt.path, repo.head, s.tree)
    print(ch)
    print(await patch(wt.path, repo.head, s.tree, "a.txt"))
    saved = await save(wt.path, "Work", ADA)
    assert saved.snapshot == s
    assert user(wt.path, "status", "--porcelain") == ""
    r = await merge_tree(wt.path, repo.head, saved.commit)
    assert r.tree == s.tree
    m = await merge_commit(wt.path, "merge", repo.head, saved.commit, "Merge", author=ADA)
    m = await merge_commit(wt.path, "squash", repo.head, saved.commit, "Merge", author=ADA)
    m = await merge_commit(wt.path, "rebase", repo.head, saved.commit, "Merge", author=ADA)
    assert m == saved.commit
    print(await remove(repo, wt.path, "agentpane:1", "agent/x/y"))
    assert (await save(place, "x", ADA)).commit is None
