"""What an agent can leave in its worktree for our own git to fall over, and that our git does not.

Each trap is shown to work first, on a git without walls: a trap that never worked would prove nothing.
"""

import asyncio
import os
from pathlib import Path

import pytest

from app.git.refs import move_ref
from app.git.refusals import GitRefused
from app.git.removing import remove
from app.git.repository import inspect
from app.git.returning import return_to_branch
from app.git.running import git
from app.git.sharing import mounts_of, record_of, require_record
from app.git.snapshots import save, snapshot
from app.git.worktrees import add, delete_branch
from app.processes.sandbox import available
from tests.git.repositories import ADA, commit, user, write

BRANCH = "agent/k7f2q9/spokes"
REASON = "agentpane:test"
needs_walls = pytest.mark.skipif(bool(available().why_not), reason=f"no sandbox here: {available().why_not}")


@pytest.fixture
async def worktree(place: Path) -> Path:
    repo = await inspect(place)
    folder = place / ".worktrees" / "k7f2q9-spokes"
    await add(repo, folder, BRANCH, repo.head or "", REASON)
    return folder


@pytest.fixture
def plain(place: Path, worktree: Path) -> Path:
    """Another worktree of the same repository, which is not ours, for the trap to work in."""
    folder = place.parent / "plain"
    user(place, "worktree", "add", "-q", "-b", "plain", folder)
    return folder


def own(worktree: Path) -> Path:
    return require_record(worktree).folder


def admin(worktree: Path) -> Path:
    return Path(user(worktree, "rev-parse", "--absolute-git-dir"))


def plant_nested(folder: Path, marker: Path) -> None:
    """A repository in the repository, tracked, whose filter runs a program when anybody asks for its status."""
    nested = folder / "nested"
    nested.mkdir()
    user(nested, "init", "-q")
    commit(nested, {"file": "one\n", ".gitattributes": "file filter=evil\n"}, "Nested")
    user(folder, "add", "nested")
    user(folder, "commit", "-qm", "With a repository inside")
    user(nested, "config", "filter.evil.clean", f"touch '{marker}'; cat")
    os.utime(nested / "file", (1, 1))


@needs_walls
async def test_a_filter_of_a_repository_inside(worktree: Path, plain: Path, tmp_path: Path) -> None:
    plant_nested(plain, tmp_path / "worked")
    user(plain, "status")
    assert (tmp_path / "worked").exists()
    plant_nested(worktree, tmp_path / "outside")
    write(worktree, {"more.txt": "more\n"})
    saved = await save(worktree, "Save", ADA)
    assert user(worktree, "show", f"{saved.commit}:more.txt") == "more"
    assert not (tmp_path / "outside").exists()


@needs_walls
async def test_a_filter_of_the_repository_that_is_the_agents_program(
    worktree: Path, place: Path, tmp_path: Path
) -> None:
    user(place, "config", "filter.own.clean", "./clean.sh")
    script = f"#!/bin/sh\ntouch '{tmp_path}/'$1outside 2>/dev/null\ntr a-z A-Z\n"
    write(worktree, {"clean.sh": script, ".gitattributes": "*.txt filter=own\n", "new.txt": "shout\n"})
    (worktree / "clean.sh").chmod(0o755)
    saved = await save(worktree, "Save", ADA)
    assert user(worktree, "show", f"{saved.commit}:new.txt") == "SHOUT"  # It ran …
    assert not (tmp_path / "outside").exists()
    user(worktree, "add", "--renormalize", ".")
    assert (tmp_path / "outside").exists()  # … and could have done so without walls.


async def test_a_head_that_names_main(worktree: Path, place: Path) -> None:
    before = user(place, "rev-parse", "main")
    user(worktree, "symbolic-ref", "HEAD", "refs/heads/main")
    write(worktree, {"mine.txt": "on main\n"})
    saved = await save(worktree, "Save", ADA)
    assert user(place, "rev-parse", "main") == before
    assert await return_to_branch(worktree, BRANCH)
    assert user(place, "rev-parse", BRANCH) == saved.commit


async def test_a_branch_that_is_another_name_of_main(worktree: Path, place: Path) -> None:
    main = user(place, "rev-parse", "main")
    user(place, "symbolic-ref", f"refs/heads/{BRANCH}", "refs/heads/main")
    user(place, "branch", "other")
    user(place, "symbolic-ref", "refs/heads/control", "refs/heads/other")
    user(place, "update-ref", "-d", "refs/heads/control")
    assert user(place, "branch", "--list", "other") == ""  # git itself follows such a name.

    commit(place, {"more.txt": "more\n"}, "More")
    newer = user(place, "rev-parse", "main")
    await move_ref(place, f"refs/heads/{BRANCH}", main, newer)
    assert user(place, "rev-parse", "main") == newer
    user(place, "symbolic-ref", f"refs/heads/{BRANCH}", "refs/heads/main")
    user(worktree, "checkout", "-q", "--detach")
    await delete_branch(await inspect(place), BRANCH, newer, "refs/agentpane/archive/x")
    assert user(place, "rev-parse", "main") == newer


@needs_walls
@pytest.mark.parametrize("log", ["logs/HEAD", "index"])
async def test_a_link_in_the_place_of_a_file_of_gits(worktree: Path, plain: Path, tmp_path: Path, log: str) -> None:
    victim, other = tmp_path / "victim", tmp_path / "other"
    for folder, target in ((admin(worktree), victim), (admin(plain), other)):
        target.write_text("precious\n")
        (folder / log).unlink()
        (folder / log).symlink_to(target)
    write(plain, {"new.txt": "new\n"})
    if log == "index":
        other.write_bytes(b"")
        user(plain, "read-tree", "HEAD")
    user(plain, "add", "-A")
    user(plain, "commit", "-qm", "Plain")
    assert other.read_bytes() != b"precious\n"

    write(worktree, {"new.txt": "new\n"})
    said = await asyncio.gather(save(worktree, "Save", ADA), return_exceptions=True)
    assert "precious" not in str(said)
    assert victim.read_text() == "precious\n"


async def test_a_note_of_a_merge_that_leads_to_a_secret(worktree: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    (own(worktree) / "MERGE_HEAD").symlink_to(tmp_path / "secret")
    assert (await snapshot(worktree)).merging == ()
    (own(worktree) / "MERGE_HEAD").unlink()
    (own(worktree) / "MERGE_HEAD").write_text("s3cret\n" + "a" * 40 + "\n")
    assert (await snapshot(worktree)).merging == ("a" * 40,)


async def test_a_note_of_a_removal_that_leads_elsewhere(worktree: Path, place: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious\n")
    (own(worktree) / "agentpane-removing").symlink_to(victim)
    (own(worktree) / "agentpane-removing.new").symlink_to(victim)
    await remove(await inspect(place), worktree, REASON, BRANCH)
    assert victim.read_text() == "precious\n"
    assert not worktree.exists()


async def test_a_git_file_that_leads_elsewhere(worktree: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil" / "worktrees" / "x"
    evil.mkdir(parents=True)
    (evil / "locked").write_text(REASON)
    (worktree / ".git").write_text(f"gitdir: {evil}\n")
    assert record_of(worktree) is None
    with pytest.raises(GitRefused, match="leads elsewhere"):
        require_record(worktree)
    (worktree / ".git").unlink()
    (worktree / ".git").symlink_to(tmp_path)
    assert record_of(worktree) is None


async def test_what_could_be_made_in_the_place_of_what_must_not_change_is_there(worktree: Path) -> None:
    record = require_record(worktree)
    mounts = {mount.place: mount.can_write for mount in mounts_of(record, BRANCH)}
    for name in ("commondir", "gitdir", "locked", "config.worktree", "agentpane-branch"):
        assert (record.folder / name).is_file()
        assert not mounts[record.folder / name]
    assert not mounts[record.common_dir / "objects" / "info"]
    assert (record.common_dir / "objects" / "info").is_dir()
    assert mounts[record.common_dir / "refs/heads/agent/k7f2q9"]
    assert record.branch == BRANCH


async def test_a_branch_beside_all_others_gets_no_folder_to_write_in(place: Path, tmp_path: Path) -> None:
    repo = await inspect(place)
    await add(repo, tmp_path / "w", "k7f2q9-spokes", repo.head or "", REASON)
    record = require_record(tmp_path / "w")
    refs = record.common_dir / "refs"
    assert not [m for m in mounts_of(record, "k7f2q9-spokes") if m.can_write and m.place.is_relative_to(refs)]
    write(tmp_path / "w", {"new.txt": "new\n"})
    assert (await save(tmp_path / "w", "Save", ADA)).commit


async def test_objects_of_another_repository_can_be_read(place: Path, tmp_path: Path) -> None:
    user(tmp_path, "clone", "-q", "--shared", place, "copy")
    repo = await inspect(tmp_path / "copy")
    await add(repo, tmp_path / "w", BRANCH, repo.head or "", REASON)
    write(tmp_path / "w", {"new.txt": "new\n"})
    assert (await save(tmp_path / "w", "Save", ADA)).commit


@needs_walls
async def test_git_that_is_cut_off_takes_its_locks_along(worktree: Path, place: Path) -> None:
    started = worktree / "started"
    user(place, "config", "filter.slow.clean", f"sh -c 'touch {started}; exec tail -f /dev/null'")
    write(worktree, {".gitattributes": "*.txt filter=slow\n", "new.txt": "new\n"})
    adding = asyncio.create_task(git(worktree, "add", "-A"))
    async with asyncio.timeout(20):
        while not started.exists():
            await asyncio.sleep(0.02)
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    assert not (own(worktree) / "index.lock").exists()
