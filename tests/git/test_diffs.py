import os
from pathlib import Path

import pytest

from app.git.diffs import FileChange, Totals, blob, changed_files, patch, printable, totals
from app.git.refs import ahead_behind, merge_base
from app.git.refusals import GitError
from tests.git.repositories import Content, commit, make_repository, user, write

TEN = "".join(f"line {number}\n" for number in range(10))


async def changes(place: Path, files: dict[str, Content]) -> dict[str, FileChange]:
    before = user(place, "rev-parse", "HEAD")
    after = commit(place, files)
    return {change.path: change for change in await changed_files(place, before, after)}


def last_two(place: Path) -> list[str]:
    return user(place, "rev-parse", "HEAD^", "HEAD").split()


async def test_added_modified_deleted_renamed(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "p", {"m": TEN, "d": "d\n", "old name": TEN + "x\n"})
    found = await changes(
        place, {"m": TEN + "more\n", "d": None, "a": "1\n2\n", "old name": None, "new\tname": TEN + "y\n"}
    )
    seen = {path: (one.status, one.old_path, one.added, one.removed) for path, one in found.items()}
    assert seen == {
        "m": ("M", "m", 1, 0),
        "d": ("D", "d", 0, 1),
        "a": ("A", "a", 2, 0),
        "new\tname": ("R", "old name", 1, 1),
    }
    assert totals(found.values()) == Totals(files=4, added=4, removed=2)
    renamed = found["new\tname"]
    assert await blob(place, renamed.old_oid) == (f"{TEN}x\n".encode(), False)


async def test_modes_symlinks_and_binary_files(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "p", {"run": "#!/bin/sh\n", "target": "t\n", "img": b"\x00\x01"})
    (place / "run").chmod(0o755)
    (place / "target").unlink()
    (place / "target").symlink_to("run")
    found = await changes(place, {"img": b"\x00\x02"})
    run, target, img = found["run"], found["target"], found["img"]
    assert (run.old_mode, run.new_mode, run.old_oid == run.new_oid, run.added) == ("100644", "100755", True, 0)
    assert (target.status, target.new_mode) == ("T", "120000")
    assert (img.binary, img.added, img.removed) == (True, None, None)


async def test_names_that_are_not_text(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "p", {"a": "a\n"})
    name = os.fsdecode(b"caf\xe9\n.txt")
    found = await changes(place, {name: "x\n", "ü.txt": "x\n"})
    assert {*found} == {name, "ü.txt"}
    assert printable(name) == "caf\\xe9\n.txt"
    assert b"+x\n" in (await patch(place, *last_two(place), name)).text


async def test_a_patch_is_of_one_file_and_cut_at_a_line(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "p", {"a": TEN, "b": TEN})
    commit(place, {"a": TEN + "in a\n", "b": TEN * 1000})
    whole = await patch(place, *last_two(place), "a", context=1)
    assert whole.text.decode().splitlines()[-3:] == ["@@ -10 +10,2 @@ line 8", " line 9", "+in a"]
    assert not whole.truncated
    cut = await patch(place, *last_two(place), "b", limit_bytes=1000)
    assert cut.truncated
    assert 900 < len(cut.text) <= 1000
    assert cut.text.endswith(b"\n")


async def test_a_patch_of_a_rename_shows_both_names(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "p", {"one": TEN})
    found = await changes(place, {"one": None, "two": TEN + "x\n"})
    text = (await patch(place, *last_two(place), "two", found["two"].old_path)).text.decode()
    assert "rename from one\nrename to two\n" in text
    assert "+x" in text.splitlines()


async def test_whitespace_can_be_left_out(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "p", {"a": "if x:\n    y\n"})
    commit(place, {"a": "if x:\n        y\n"})
    assert (await patch(place, *last_two(place), "a")).text
    assert b"@@" not in (await patch(place, *last_two(place), "a", ignore_whitespace=True)).text


async def test_a_branch_cannot_hide_its_changes(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "p", {"code.py": "x = 1\n", "plain": "1\n"})
    alarm = tmp_path / "alarm"
    alarm.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    alarm.chmod(0o755)
    for name, value in {
        "diff.external": str(alarm),
        "diff.hidden.textconv": str(alarm),
        "diff.hidden.binary": "true",
        "diff.ignoreSubmodules": "all",
        "core.fsmonitor": str(alarm),
    }.items():
        user(place, "config", name, value)
    write(place, {".git/info/attributes": "plain -diff\n"})
    found = await changes(place, {".gitattributes": "*.py diff=hidden binary\n", "code.py": "x = 2\n", "plain": "2\n"})
    (tmp_path / "ran").unlink(missing_ok=True)  # the user's own commit may have run it
    assert {path: one.added for path, one in found.items()} == {".gitattributes": 1, "code.py": 1, "plain": 1}
    for name in ("code.py", "plain"):
        assert b"\n+" in (await patch(place, *last_two(place), name)).text
    assert not (tmp_path / "ran").exists()


async def test_replaced_objects_are_not_shown_as_the_real_ones(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "p", {"a": "1\n"})
    found = await changes(place, {"a": "evil\n"})
    innocent = commit(place, {"a": "1\n"})
    user(place, "replace", found["a"].new_oid, user(place, "rev-parse", f"{innocent}:a"))
    before, evil = user(place, "rev-parse", "HEAD~2", "HEAD~1").split()
    assert b"+evil" in (await patch(place, before, evil, "a")).text


async def test_a_repository_of_the_newer_object_format(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    user(tmp_path / "p", "init", "-q", "--object-format=sha256")
    commit(tmp_path / "p", {"a": "1\n"})
    assert len((await changes(tmp_path / "p", {"a": "2\n"}))["a"].new_oid) == 64


async def test_nothing_changed_and_unknown_trees(place: Path) -> None:
    tip = user(place, "rev-parse", "HEAD")
    assert await changed_files(place, tip, tip) == []
    with pytest.raises(GitError):
        await changed_files(place, "0" * 40, "1" * 40)


async def test_ahead_behind_and_merge_base(place: Path) -> None:
    fork = user(place, "rev-parse", "HEAD")
    commit(place, {"a.txt": "on main\n"})
    user(place, "checkout", "-q", "-b", "side", fork)
    commit(place, {"b": "1\n"})
    commit(place, {"b": "2\n"})
    assert await ahead_behind(place, "refs/heads/side", "refs/heads/main") == (2, 1)
    assert await merge_base(place, "refs/heads/side", "refs/heads/main") == fork
    alone = user(place, "commit-tree", f"{fork}^{{tree}}", "-m", "Alone")
    assert await merge_base(place, alone, fork) is None


async def test_a_partial_clone_fetches_what_it_lacks(place: Path, tmp_path: Path) -> None:
    before, after = user(place, "rev-parse", "HEAD"), commit(place, {"a.txt": "two\n"})
    user(place, "config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    user(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{place}", partial)
    assert [change.added for change in await changed_files(partial, before, after)] == [1]
