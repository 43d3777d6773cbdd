"""Every row of what a person's copy can look like when a merge arrives: it moves as a whole, or stays to the byte."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.git.advancing import _catch_up, advance
from app.git.checkouts import holders
from app.git.refusals import GitRefused
from tests.git.benches import ARRIVED, GONE, NEW, Bench, Journal, Unchecked
from tests.git.repositories import State, commit, edit_unnoticed, make_repository, state, user, write

Arrange = Callable[[Path], object]


def many(*steps: Arrange) -> Arrange:
    return lambda root: [step(root) for step in steps]


def holds(name: str, content: str | None = "mine\n") -> Arrange:
    return lambda root: write(root, {name: content})


def ran(*args: str, check: bool = True) -> Arrange:
    return lambda root: user(root, *args, check=check)


def in_git(name: str, content: str = "") -> Arrange:
    return lambda root: write(root / ".git", {name: content})


def plant_hooks(root: Path, line: str) -> None:
    for name in ("post-merge", "pre-commit", "post-checkout", "post-index-change", "reference-transaction"):
        hook = root / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\n{line}\n")
        hook.chmod(0o755)


def conflicting_stash(root: Path) -> None:
    old = user(root, "rev-parse", "HEAD")
    write(root, {"other": "stashed\n"})
    user(root, "stash")
    commit(root, {"other": "committed\n"})
    user(root, "stash", "pop", check=False)
    user(root, "update-ref", "refs/heads/main", old)
    assert user(root, "ls-files", "-u")


MOVES: dict[str, Arrange] = {
    "clean": lambda root: None,
    "edited another file": holds("other"),
    "staged another file": many(holds("other"), ran("add", "other")),
    "staged and edited another file": many(holds("other"), ran("add", "other"), holds("other", "again\n")),
    "deleted another file": holds("other", None),
    "untracked file elsewhere": holds("notes.txt"),
    "ignored file elsewhere": holds("secret.ign"),
    "untracked file in a folder that shrinks": holds("dir/mine"),
    "touched the same file": lambda root: (root / "a").touch(),
    "sparse checkout": ran("sparse-checkout", "set", "dir"),
    "sparse index": ran("sparse-checkout", "set", "--cone", "--sparse-index", "dir"),
    "untracked cache": ran("update-index", "--untracked-cache"),
    "autostash wanted": many(ran("config", "merge.autoStash", "true"), holds("other")),
    "squash wanted": ran("config", "branch.main.mergeOptions", "--squash"),
    "signatures wanted": ran("config", "merge.verifySignatures", "true"),
    "split index": ran("update-index", "--split-index"),
    "hooks that fail": lambda root: plant_hooks(root, "exit 1"),
}

REFUSALS: dict[str, tuple[Arrange, str, tuple[str, ...]]] = {
    "edited the same file": (holds("a"), "dirty", ("a",)),
    "edited other lines of it": (holds("a", "1 mine\n2\n3\n4\n5\n6\n"), "dirty", ("a",)),
    "edited it to the same": (holds("a", str(NEW["a"])), "dirty", ("a",)),
    "edited it in the instant of the index": (lambda root: edit_unnoticed(root, "dir/e"), "dirty", ("dir/e",)),
    "staged the same file": (many(holds("dir/e"), ran("add", "dir/e")), "dirty", ("dir/e",)),
    "staged it to the same": (many(holds("a", str(NEW["a"])), ran("add", "a")), "dirty", ("a",)),
    "deleted the same file": (holds("a", None), "dirty", ("a",)),
    "deleted what is deleted": (holds("d", None), "dirty", ("d",)),
    "edited what is deleted": (holds("d"), "dirty", ("d",)),
    "made the same file executable": (lambda root: (root / "a").chmod(0o755), "dirty", ("a",)),
    "untracked file in the way": (holds("newf"), "in_the_way", ("newf",)),
    "untracked folder in the way": (holds("newf/x"), "in_the_way", ("newf",)),
    "untracked file in a folder that becomes a file": (holds("becomes-file/mine"), "in_the_way", ("becomes-file",)),
    "added with intent": (many(holds("newf"), ran("add", "-N", "newf")), "dirty", ("newf",)),
    "ignored file in the way": (holds("x.ign"), "in_the_way", ("x.ign",)),
    "ignored folder in the way": (holds("x.ign/deep"), "in_the_way", ("x.ign",)),
    "ignored file for a folder": (holds("p.ign"), "in_the_way", ("p.ign",)),
    "symlink for a folder": (lambda root: (root / "ü").symlink_to("dir"), "in_the_way", ("ü",)),
    "dangling symlink in the way": (lambda root: (root / "newf").symlink_to("nowhere"), "in_the_way", ("newf",)),
    "assume-unchanged": (many(ran("update-index", "--assume-unchanged", "a"), holds("a")), "dirty", ("a",)),
    "skip-worktree": (many(ran("update-index", "--skip-worktree", "a"), holds("a")), "dirty", ("a",)),
    "index locked": (in_git("index.lock"), "busy", ()),
    "merging": (in_git("MERGE_HEAD", "0" * 40), "busy", ()),
    "cherry-picking": (in_git("CHERRY_PICK_HEAD", "0" * 40), "busy", ()),
    "reverting": (in_git("REVERT_HEAD", "0" * 40), "busy", ()),
    "bisecting": (many(ran("bisect", "start"), ran("bisect", "bad")), "busy", ()),
    "diverged": (lambda root: commit(root, {"other": "on\n"}), "moved", ()),
    "autostash wanted, same file": (many(ran("config", "merge.autoStash", "true"), holds("a")), "dirty", ("a",)),
    "unresolved after a stash": (conflicting_stash, "busy", ()),
}


def kept(seen: State, root: Path) -> dict[str, tuple[int, bytes]]:
    """The files that the merge has nothing to do with."""
    files = seen["files"]
    return {
        path: found for path, found in files.items() if path not in GONE | {*ARRIVED} and not (root / path).is_dir()
    }


@pytest.mark.parametrize("name", MOVES)
async def test_moves_and_keeps_everything_else(bench: Bench, name: str) -> None:
    MOVES[name](bench.root)
    before, status = state(bench.root), user(bench.root, "status", "--porcelain")

    assert await bench.advance() == bench.root

    after = state(bench.root)
    assert user(bench.root, "rev-parse", "main", "HEAD").split() == [bench.new, bench.new]
    assert user(bench.root, "status", "--porcelain") == status
    assert kept(after, bench.root) == kept(before, bench.root)
    if not name.startswith("sparse"):
        assert {path: (bench.root / path).read_text() for path in ARRIVED} == ARRIVED
    assert {file for file in set(after["git_dir"]) - set(before["git_dir"]) if not file.startswith("shared")} == set()
    assert [entry[0] for entry in bench.journal.entries] == ["open", "close"]
    user(bench.root, "fsck", "--strict")


@pytest.mark.parametrize("name", REFUSALS)
async def test_refuses_and_leaves_every_byte(bench: Bench, name: str) -> None:
    arrange, reason, paths = REFUSALS[name]
    arrange(bench.root)
    before = state(bench.root)

    with pytest.raises(GitRefused) as refused:
        await bench.advance()

    assert (refused.value.reason, refused.value.paths if paths else ()) == (reason, paths)
    assert state(bench.root) == before
    assert bench.journal.entries == []


async def test_another_branch_is_checked_out(bench: Bench) -> None:
    user(bench.root, "checkout", "-q", "-b", "feature")
    write(bench.root, {"a": "mine\n"})
    before = state(bench.root)

    assert await bench.advance() is None

    assert user(bench.root, "rev-parse", "main") == bench.new
    after = state(bench.root)
    assert after["files"] == before["files"]
    assert after["git_dir"] == before["git_dir"]


async def test_checked_out_nowhere_waits_for_a_git_at_work(bench: Bench) -> None:
    user(bench.root, "checkout", "-q", "--detach")
    write(bench.root / ".git", {"index.lock": ""})
    with pytest.raises(GitRefused, match="Another git is at work"):
        await bench.advance()
    assert user(bench.root, "rev-parse", "main") == bench.old


async def test_rebasing_the_base_counts_as_checked_out(bench: Bench) -> None:
    commit(bench.root, {"other": "side\n"})
    bench.old = user(bench.root, "rev-parse", "HEAD")
    user(bench.root, "-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "-q", "-i", "HEAD^", check=False)
    assert user(bench.root, "symbolic-ref", "-q", "HEAD", check=False) == ""
    before = state(bench.root)
    with pytest.raises(GitRefused) as refused:
        await bench.advance()
    assert refused.value.reason == "busy"
    assert state(bench.root) == before


async def test_base_in_another_linked_worktree(bench: Bench, tmp_path: Path) -> None:
    user(bench.root, "checkout", "-q", "--detach")
    linked = tmp_path / "linked copy"
    user(bench.root, "worktree", "add", "-q", linked, "main")
    assert await bench.advance() == linked
    assert (linked / "newf").read_text() == "new\n"
    assert user(linked, "status", "--porcelain") == ""
    assert not (bench.root / "newf").exists()


async def test_base_checked_out_twice(bench: Bench, tmp_path: Path) -> None:
    user(bench.root, "worktree", "add", "-q", "-f", tmp_path / "twice", "main")
    with pytest.raises(GitRefused, match="more than one place"):
        await bench.advance()


async def test_not_a_fast_forward(bench: Bench) -> None:
    aside = user(bench.root, "commit-tree", f"{bench.new}^{{tree}}", "-m", "No parent")
    bench.new = aside
    with pytest.raises(GitRefused) as refused:
        await bench.advance()
    assert refused.value.reason == "not_a_fast_forward"


async def test_a_configuration_that_leads_to_other_files(bench: Bench, tmp_path: Path) -> None:
    """An agent can set it: the configuration is shared by all worktrees."""
    repo = await bench.repository()
    user(bench.root, "config", "core.worktree", str(tmp_path))
    before = state(bench.root)
    with pytest.raises(GitRefused) as refused:
        await advance(repo, "main", bench.old, bench.new, bench.journal)
    assert refused.value.reason == "misconfigured"
    assert state(bench.root) == before
    with pytest.raises(GitRefused, match=r"core\.worktree leads git"):
        await bench.repository()


async def test_inherited_variables_and_planted_programs_are_not_used(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_hooks(bench.root, f"touch {tmp_path}/ran")
    alarm = tmp_path / "alarm"
    alarm.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    alarm.chmod(0o755)
    user(bench.root, "config", "core.fsmonitor", str(alarm))
    user(bench.root, "config", "diff.external", str(alarm))
    other = make_repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index.lock"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(alarm))
    shutil.rmtree(tmp_path / "ran", ignore_errors=True)
    before = state(other)
    assert await bench.advance() == bench.root
    assert not (tmp_path / "ran").exists()
    assert state(other) == before


async def test_cancelling_does_not_stop_half_way(bench: Bench) -> None:
    class Cancels(Journal):
        async def open(self, checkout: Path, old: str, new: str) -> None:
            await super().open(checkout, old, new)
            moving.cancel()

    bench.journal = Cancels()
    moving = asyncio.ensure_future(bench.advance())
    with pytest.raises(asyncio.CancelledError):
        await moving
    assert user(bench.root, "rev-parse", "main") == bench.new
    assert user(bench.root, "status", "--porcelain") == ""
    assert [entry[0] for entry in bench.journal.entries] == ["open", "close"]


async def test_ref_moved_at_the_last_moment(bench: Bench) -> None:
    class Moves(Journal):
        async def open(self, checkout: Path, old: str, new: str) -> None:
            await super().open(checkout, old, new)
            aside = user(checkout, "commit-tree", f"{old}^{{tree}}", "-p", old, "-m", "Plain commit, editor was open")
            user(checkout, "update-ref", "refs/heads/main", aside)

    bench.journal = Moves()
    write(bench.root, {"other": "mine\n"})
    files = state(bench.root)["files"]
    with pytest.raises(GitRefused) as refused:
        await bench.advance()
    assert refused.value.reason == "moved"
    assert state(bench.root)["files"] == files
    assert user(bench.root, "status", "--porcelain") == "M other"
    assert [entry[0] for entry in bench.journal.entries] == ["open", "close"]


async def test_a_checkout_that_began_just_before_is_brought_along(bench: Bench) -> None:
    """As `git checkout main` leaves it when it read the branch before our lock: the old files, on the new ref."""
    write(bench.root, {"other": "mine\n"})
    user(bench.root, "update-ref", "refs/heads/main", bench.new)
    (place,) = await holders(bench.root, "main")
    await _catch_up(place, "main", bench.old, bench.new, Unchecked())
    assert user(bench.root, "status", "--porcelain") == "M other"


async def test_where_it_cannot_be_brought_along_the_branch_goes_back(bench: Bench) -> None:
    write(bench.root, {"a": "mine\n"})
    before = state(bench.root)
    user(bench.root, "update-ref", "refs/heads/main", bench.new)
    (place,) = await holders(bench.root, "main")
    with pytest.raises(GitRefused) as refused:
        await _catch_up(place, "main", bench.old, bench.new, Unchecked())
    assert refused.value.reason == "dirty"
    assert state(bench.root)["files"] == before["files"]
    assert user(bench.root, "rev-parse", "main") == bench.old
