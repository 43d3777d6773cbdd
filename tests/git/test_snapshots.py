import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.git.refusals import GitRefused
from app.git.snapshots import anchor, save, snapshot
from tests.git.repositories import ADA, commit, edit_unnoticed, make_repository, state, user, write


def listed(place: Path, tree: str) -> dict[str, str]:
    """Path to mode and content of a tree."""
    rows = [row.split("\t", 1) for row in user(place, "ls-tree", "-r", "-z", tree).split("\0") if row]
    return {path: f"{meta.split()[0]} {user(place, 'cat-file', 'blob', meta.split()[2])}" for meta, path in rows}


async def test_everything_that_is_there_and_nothing_touched(place: Path) -> None:
    commit(place, {".gitignore": "*.log\n", "kept.log": "ignored but tracked\n"})
    user(place, "add", "-f", "kept.log")
    user(place, "commit", "-q", "-m", "Log")
    write(
        place, {"a.txt": None, "src/b.py": "b = 2\n", "run.sh": "#!/bin/sh\n", "debug.log": "no\n", "kept.log": "2\n"}
    )
    (place / "run.sh").chmod(0o755)
    (place / "link").symlink_to("nowhere")
    write(place, {os.fsdecode(b"caf\xe9"): "latin\n", "two words/ü": "ü\n"})
    os.mkfifo(place / "pipe")
    user(place, "add", "src/b.py")
    before = state(place)

    taken = await snapshot(place)

    assert state(place) == before
    assert (taken.head, taken.branch) == (user(place, "rev-parse", "HEAD"), "main")
    assert listed(place, taken.tree) == {
        ".gitignore": "100644 *.log",
        "kept.log": "100644 2",
        "src/b.py": "100644 b = 2",
        "run.sh": "100755 #!/bin/sh",
        "link": "120000 nowhere",
        os.fsdecode(b"caf\xe9"): "100644 latin",
        "two words/ü": "100644 ü",
    }


async def test_a_held_lock_and_a_missing_index_do_not_matter(place: Path) -> None:
    commit(place, {".gitignore": "a.txt\n"})
    write(place, {".git/index.lock": "", "new": "n\n"})
    first = await snapshot(place)
    (place / ".git" / "index").unlink()
    assert (await snapshot(place)).tree == first.tree
    assert {"a.txt", "new"} <= {*listed(place, first.tree)}


async def test_edits_hidden_by_flags_are_seen(place: Path) -> None:
    user(place, "update-index", "--assume-unchanged", "a.txt")
    user(place, "update-index", "--skip-worktree", "src/b.py")
    write(place, {"a.txt": "edited\n", "src/b.py": "edited\n"})
    tree = listed(place, (await snapshot(place)).tree)
    assert (tree["a.txt"], tree["src/b.py"]) == ("100644 edited", "100644 edited")


async def test_an_edit_in_the_same_instant_as_the_index_is_seen(place: Path) -> None:
    edit_unnoticed(place, "a.txt")
    assert listed(place, (await snapshot(place)).tree)["a.txt"] == "100644 ONE"


async def test_a_sparse_checkout_keeps_what_is_outside(place: Path) -> None:
    user(place, "sparse-checkout", "set", "--no-cone", "/a.txt")
    assert not (place / "src").exists()
    write(place, {"outside/new": "n\n"})
    assert {*listed(place, (await snapshot(place)).tree)} == {"a.txt", "src/b.py", "outside/new"}


async def test_conflicts_nested_repositories_and_giants_are_reported(place: Path) -> None:
    conflict(place)
    make_repository(place / "nested", {"x": "x\n"})
    make_repository(place / "unborn [1]", {})
    write(place, {"giant.bin": "x" * 2000, "fine.bin": "x" * 100})
    taken = await snapshot(place, limit=1000)
    assert taken.unmerged == ("a.txt",)
    assert {*taken.nested} == {"nested", "unborn [1]"}
    assert taken.too_large == ("giant.bin",)
    tree = listed(place, taken.tree)
    assert {*tree} == {"a.txt", "src/b.py", "fine.bin"}
    assert "<<<<<<<" in tree["a.txt"]


def conflict(place: Path) -> None:
    user(place, "checkout", "-q", "-b", "side")
    commit(place, {"a.txt": "side\n"})
    user(place, "checkout", "-q", "main")
    commit(place, {"a.txt": "main\n"})
    user(place, "merge", "-q", "side", check=False)


async def test_saving_commits_at_head_with_the_author_given(place: Path) -> None:
    plant_hook(place)
    write(place, {"a.txt": "two\n", "new": "n\n"})
    user(place, "add", "new")
    saved = await save(place, "Work of an agent\n\nWith a body", ADA)
    assert saved.commit == user(place, "rev-parse", "main")
    assert user(place, "status", "--porcelain") == ""
    shown = user(place, "log", "-1", "--format=%an <%ae>|%cn|%B")
    assert shown == "Ada Lovelace <ada@example.org>|Ada Lovelace|Work of an agent\n\nWith a body"
    assert (await save(place, "Again", ADA)).commit is None
    assert not (place.parent / "ran").exists()


def plant_hook(place: Path) -> None:
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction"):
        hook = place / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {place.parent}/ran\nexit 1\n")
        hook.chmod(0o755)


@pytest.mark.parametrize(
    ("resolve", "left"),
    [
        (lambda place: None, "a.txt"),
        (lambda place: user(place, "add", "a.txt"), ""),
        (lambda place: write(place, {"a.txt": "both\n"}), ""),
        (lambda place: write(place, {"a.txt": "both\n<<<<<<< HEAD\n=======\n>>>>>>> side\n"}), "a.txt"),
        (lambda place: write(place, {"a.txt": None}), ""),
    ],
    ids=["nothing", "staged as it is", "edited", "half edited", "deleted"],
)
async def test_a_merge_is_saved_as_a_merge_and_what_is_unresolved_is_noted(place: Path, resolve, left: str) -> None:
    conflict(place)
    main, side = user(place, "rev-parse", "main", "side").split()
    resolve(place)
    files = {path.name: path.read_bytes() for path in place.glob("*.txt")}
    saved = await save(place, "As far as it came", ADA)
    assert user(place, "rev-parse", "HEAD^@").split() == [main, side]
    assert user(place, "log", "-1", "--format=%(trailers:key=Unresolved,valueonly)") == (f'"{left}"' if left else "")
    assert {path.name: path.read_bytes() for path in place.glob("*.txt")} == files
    assert not (place / ".git" / "MERGE_HEAD").exists()
    assert user(place, "status", "--porcelain") == ""
    assert (await save(place, "Again", ADA)).commit is None
    assert saved.commit == user(place, "rev-parse", "main")


async def test_a_crash_after_the_commit_of_a_merge_does_not_merge_twice(place: Path) -> None:
    conflict(place)
    side = user(place, "rev-parse", "side")
    saved = await save(place, "Merged", ADA)
    write(place, {".git/MERGE_HEAD": f"{side}\n"})
    assert (await save(place, "Again", ADA)).commit is None
    assert user(place, "rev-parse", "HEAD") == saved.commit
    assert not (place / ".git" / "MERGE_HEAD").exists()


async def test_locks_of_a_killed_git(place: Path) -> None:
    write(place, {".git/index.agentpane": "half", ".git/index.agentpane.lock": ""})
    write(place, {"a.txt": "two\n", ".git/index.lock": "", ".git/HEAD.lock": "", ".git/refs/heads/main.lock": ""})
    with pytest.raises(GitRefused) as refused:
        await save(place, "Work", ADA)
    assert refused.value.reason == "busy"
    assert (await save(place, "Work", ADA, break_locks=True)).commit
    assert user(place, "status", "--porcelain") == ""
    assert not [*(place / ".git").rglob("*.lock")]


async def test_a_detached_head_and_a_first_commit(place: Path, tmp_path: Path) -> None:
    user(place, "checkout", "-q", "--detach")
    write(place, {"a.txt": "two\n"})
    saved = await save(place, "Work", ADA)
    assert saved.snapshot.branch is None
    assert user(place, "rev-parse", "HEAD") == saved.commit != user(place, "rev-parse", "main")
    empty = make_repository(tmp_path / "empty", {})
    write(empty, {"a": "a\n"})
    assert (await save(empty, "First", ADA)).commit == user(empty, "rev-parse", "main")


async def test_an_anchored_snapshot_survives_gc(place: Path) -> None:
    write(place, {"only here": "x\n"})
    saved = await snapshot(place)
    made = user(place, "commit-tree", saved.tree, "-m", "snapshot")
    await anchor(place, "refs/agentpane/snapshots/1", made)
    (place / "only here").unlink()
    user(place, "gc", "-q", "--prune=now")
    assert "only here" in listed(place, saved.tree)


NAMES = st.sampled_from(
    ["a", "b", "dir/a", "dir/b", "dir/deep/c", "ü ä", "x.ign", "keep/.gitkeep", "-dash", "*", ":(top)"]
)
STEPS = st.one_of(
    st.tuples(st.just("write"), NAMES, st.binary(max_size=40)),
    st.tuples(st.just("delete"), NAMES, st.none()),
    st.tuples(st.just("chmod"), NAMES, st.booleans()),
    st.tuples(st.just("symlink"), NAMES, st.sampled_from(["a", "nowhere", "dir"])),
    st.tuples(st.just("stage"), NAMES, st.none()),
    st.tuples(st.just("save"), st.none(), st.none()),
)


@example(steps=[("write", "b", b""), ("stage", "b", None), ("delete", "b", None)])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=12))
async def test_what_is_saved_is_what_is_on_disk(tmp_path: Path, steps: list[tuple[str, str, object]]) -> None:
    shutil.rmtree(tmp_path / "p", ignore_errors=True)
    place = make_repository(tmp_path / "p", {"a": "a\n", "dir/a": "a\n", ".gitignore": "*.ign\n"})
    for kind, name, value in [*steps, ("save", "", None)]:
        if kind == "save":
            await save(place, "Save", ADA)
            assert on_disk(place) == in_tree(place)
            assert user(place, "status", "--porcelain") == ""
        else:
            act(place, kind, name, value)


def act(place: Path, kind: str, name: str, value: object) -> None:
    file = place / name
    if kind in ("write", "symlink"):
        clear(place, file)
        file.write_bytes(value) if isinstance(value, bytes) else file.symlink_to(str(value))
    elif kind == "delete" and os.path.lexists(file) and not (file.is_dir() and not file.is_symlink()):
        file.unlink()
    elif kind == "chmod" and file.is_file() and not file.is_symlink():
        file.chmod(0o755 if value else 0o644)
    elif kind == "stage":
        user(place, "--literal-pathspecs", "add", "-A", "--", name, check=False)


def clear(place: Path, file: Path) -> None:
    """Make room for a file: whatever stands there or in place of one of its folders goes."""
    for spot in [*reversed(file.relative_to(place).parents), file.relative_to(place)]:
        found = place / spot
        if found.is_symlink() or found.is_file():
            found.unlink()
    if file.is_dir():
        shutil.rmtree(file)
    file.parent.mkdir(parents=True, exist_ok=True)


def on_disk(place: Path) -> dict[str, tuple[str, bytes]]:
    found = {}
    for path in place.rglob("*"):
        name = str(path.relative_to(place))
        is_folder = path.is_dir() and not path.is_symlink()
        if is_folder or name.endswith(".ign") or name.startswith(".git/"):
            continue
        if path.is_symlink():
            found[name] = ("120000", os.fsencode(path.readlink()))
        else:
            found[name] = ("100755" if path.stat().st_mode & 0o100 else "100644", path.read_bytes())
    return found


def in_tree(place: Path) -> dict[str, tuple[str, bytes]]:
    copy = place.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    user(place, "clone", "-q", place, copy)
    return on_disk(copy)
