"""Every kind of repository and of change, approved by each method: merged as git itself would, with everything of the
person's byte for byte as it was, or refused with a sentence and nothing changed."""

from pathlib import Path

import pytest

from app.errors import Conflict, Invalid
from app.git.merging import METHODS, Method
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.tasks.rows import get_task
from app.worktrees.rows import get_worktree
from tests.git.pictures import Picture, advanced, moved, picture
from tests.git.repositories import commit, make_repository, user
from tests.reviews.merge_cases import CASES, PATCHED, START, Case, writes
from tests.reviews.waiting import approval, approve, work_on
from tests.work import MARA

#: Ten thousand files are many even for a test.
PAIRS = [
    pytest.param(name, method, marks=pytest.mark.soak if name == "10,000 files" and method != "merge" else ())
    for name in CASES
    for method in METHODS
]


@pytest.mark.parametrize(("name", "method"), PAIRS)
async def test_merged_as_git_would_or_refused_as_a_whole(
    database: str, tmp_path: Path, name: str, method: Method
) -> None:
    case, root = CASES[name], make_repository(tmp_path / "my copy", START)
    case.arrange(root)
    task = await work_on(root, case.work)
    case.meanwhile(root)
    copies = [root, *(each for each in [tmp_path / "another copy"] if each.exists())]
    before = {copy: picture(copy) for copy in copies}
    old, head = user(root, "rev-parse", "main"), user(root, "rev-parse", str(task.branch))
    if case.refused:
        await require_refused(task.id, await approval(task, merge_method=method), case)
        assert {copy: picture(copy) for copy in copies} == before
    else:
        merged = merged_by_git(root, tmp_path / "by git", head, method)
        await approve(task.id, await approval(task, merge_method=method), MARA)
        new = user(root, "rev-parse", "main")
        require_history(root, old, head, new, method)
        assert user(root, "rev-parse", "main^{tree}") == user(merged, "rev-parse", "HEAD^{tree}")
        check_out(merged, new)
        for copy in copies:
            assert picture(copy) == expected(before[copy], old, new, merged)
    require_sound(root)


async def require_refused(task_id: str, form, case: Case) -> None:
    with pytest.raises(Conflict) as refusal:
        await approve(task_id, form, MARA)
    assert (refusal.value.code, case.named in refusal.value.message) == (case.refused, True), refusal.value.message
    task = await get_task(task_id)
    assert task.column == "waiting_approval"
    assert (await get_worktree(str(task.worktree_id))).status == "active"


def expected(before: Picture, old: str, new: str, merged: Path) -> Picture:
    if before.head == b"ref: refs/heads/main\n":
        return advanced(before, "main", old, new, merged)
    return moved(before, "main", new)


def merged_by_git(root: Path, place: Path, head: str, method: Method) -> Path:
    """A clone in which git itself has merged `head` into main, with the person's settings for line ends."""
    user(root.parent, "clone", "-q", "-n", f"file://{root}", place, "-b", "main")
    user(place, "config", "core.autocrlf", user(root, "config", "core.autocrlf", check=False) or "false")
    user(place, "reset", "-q", "--hard")
    match method:
        case "merge":
            user(place, "merge", "-q", "--no-ff", "--no-edit", head)
        case "squash":
            user(place, "merge", "-q", "--squash", head)
            user(place, "commit", "-q", "--no-edit")
        case "rebase":
            user(place, "rebase", "-q", "origin/main", head)
    return place


def check_out(clone: Path, new: str) -> None:
    """The files of `new`, whose tree is what git's own merge has left there."""
    user(clone, "fetch", "-q", "origin", "main")
    user(clone, "checkout", "-q", "--detach", new)


def require_history(root: Path, old: str, head: str, new: str, method: Method) -> None:
    parents = user(root, "log", "-1", "--format=%P", new).split()
    match method:
        case "merge":
            assert parents == [old, head]
        case "squash":
            assert parents == [old]
        case "rebase":
            assert user(root, "rev-list", "--merges", f"{old}..{new}") == ""
            assert user(root, "merge-base", old, new) == old


def require_sound(root: Path) -> None:
    """No object is damaged or missing, no hook ran, and no lock is left."""
    assert user(root, "fsck", "--strict", "--full", "--no-dangling", "--no-progress") == ""
    assert not (root / ".git" / "ran").exists()
    assert [path for path in (root / ".git").rglob("*.lock") if path.is_file()] == []
    assert [path for path in (root / ".git").rglob("index.agentpane*")] == []


async def test_an_empty_repository_is_refused_at_registering_and_taken_after_its_first_commit(
    database: str, tmp_path: Path
) -> None:
    root = make_repository(tmp_path / "empty", {})
    before = sorted(root.rglob("*"))
    with pytest.raises(Invalid) as refusal:
        await create_project(NewProject(path=str(root)), MARA)
    assert "has no commit yet; make a first one" in refusal.value.fields["path"]
    assert sorted(root.rglob("*")) == before
    commit(root, {}, "An empty commit will do")
    task = await work_on(root, writes({"first.txt": "1\n"}))
    await approve(task.id, await approval(task), MARA)
    assert (root / "first.txt").read_text() == "1\n"
    assert user(root, "status", "--porcelain") == ""
    require_sound(root)


async def test_a_bare_repository_is_refused_and_its_worktree_is_a_project(database: str, tmp_path: Path) -> None:
    user(tmp_path, "clone", "-q", "--bare", make_repository(tmp_path / "source", START), tmp_path / "bare.git")
    with pytest.raises(Invalid) as refusal:
        await create_project(NewProject(path=str(tmp_path / "bare.git")), MARA)
    assert "is a bare repository; choose a clone that has its files" in refusal.value.fields["path"]
    user(tmp_path / "bare.git", "worktree", "add", "-q", tmp_path / "copy", "main")
    before = picture(tmp_path / "copy")
    task = await work_on(tmp_path / "copy", writes(PATCHED))
    old = user(tmp_path / "copy", "rev-parse", "main")
    await approve(task.id, await approval(task), MARA)
    new = user(tmp_path / "copy", "rev-parse", "main")
    user(tmp_path, "clone", "-q", tmp_path / "bare.git", "merged")
    assert picture(tmp_path / "copy") == advanced(before, "main", old, new, tmp_path / "merged")
    assert user(tmp_path / "bare.git", "fsck", "--strict", "--full", "--no-dangling") == ""
