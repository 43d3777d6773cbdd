from pathlib import Path

import pytest

from app.git.commits import Identity
from app.git.forecasting import forecast
from app.git.merging import METHODS, approval_digest, merge_commit, merge_tree
from app.git.refusals import GitRefused
from tests.git.repositories import ADA, Content, commit, make_repository, state, user, write

TEN = "".join(f"line {number}\n" for number in range(10))


def fork(
    tmp_path: Path, ours: dict[str, Content], theirs: dict[str, Content], **start: Content
) -> tuple[Path, str, str]:
    """A repository with main (`ours`) checked out and a branch beside it (`theirs`)."""
    place = make_repository(tmp_path / "p", {"a": TEN, **start})
    user(place, "checkout", "-q", "-b", "side")
    head = commit(place, theirs, "Theirs")
    user(place, "checkout", "-q", "main")
    return place, commit(place, ours, "Ours") if ours else user(place, "rev-parse", "main"), head


async def test_a_clean_merge(tmp_path: Path) -> None:
    place, base, head = fork(tmp_path, {"a": "first\n" + TEN}, {"a": TEN + "last\n", "ü": "ü\n"})
    before = state(place)["files"]
    result = await merge_tree(place, base, head)
    assert result.tree
    assert result.conflicts == ()
    assert user(place, "cat-file", "blob", f"{result.tree}:a") == f"first\n{TEN}last"
    assert state(place)["files"] == before


KINDS: dict[str, tuple[dict[str, Content], dict[str, Content], dict[str, Content]]] = {
    "contents": ({"a": "ours\n"}, {"a": "theirs\n"}, {}),
    "add/add": ({"new": "ours\n"}, {"new": "theirs\n"}, {}),
    "modify/delete": ({"a": "ours\n"}, {"a": None, "other": "o\n"}, {}),
    "rename/rename": ({"a": None, "b": TEN}, {"a": None, "c": TEN}, {}),
    "file/directory": ({"x": "file\n"}, {"x/y": "in a folder\n"}, {}),
    "binary": ({"img": b"\0ours"}, {"img": b"\0theirs"}, {"img": b"\0old"}),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_conflicts_by_kind(tmp_path: Path, kind: str) -> None:
    ours, theirs, start = KINDS[kind]
    place, base, head = fork(tmp_path, ours, theirs, **start)
    result = await merge_tree(place, base, head)
    assert result.tree is None
    assert kind in {conflict.kind for conflict in result.conflicts}
    assert all(conflict.path and conflict.message for conflict in result.conflicts)
    assert user(place, "cat-file", "-t", result.marked_tree) == "tree"
    for method in METHODS:
        with pytest.raises(GitRefused) as refused:
            await merge_commit(place, method, base, head, "Merge", author=ADA)
        assert refused.value.reason == "conflict"
        assert refused.value.paths


async def test_a_conflict_names_its_file(tmp_path: Path) -> None:
    place, base, head = fork(tmp_path, {"ü\n[x]": "ours\n"}, {"ü\n[x]": "theirs\n"})
    result = await merge_tree(place, base, head)
    assert [conflict.path for conflict in result.conflicts] == ["ü\n[x]"]
    assert "<<<<<<<" in user(place, "cat-file", "blob", f"{result.marked_tree}:ü\n[x]")


async def test_unknown_revisions_are_no_conflicts(place: Path) -> None:
    for base, head in (("HEAD", "1" * 40), ("nowhere", "HEAD"), ("--help", "HEAD")):
        with pytest.raises(GitRefused) as refused:
            await merge_tree(place, base, head)
        assert refused.value.reason == "unknown_revision"


async def test_merge_squash_rebase(tmp_path: Path) -> None:
    place, base, head = fork(tmp_path, {"a": "first\n" + TEN}, {"b": "b\n"})
    head = branch_on(place, head)
    tree = (await merge_tree(place, base, head)).tree
    made = {method: await merge_commit(place, method, base, head, "Title\n\nBody", author=ADA) for method in METHODS}

    assert {user(place, "rev-parse", f"{oid}^{{tree}}") for oid in made.values()} == {tree}
    assert user(place, "rev-parse", f"{made['merge']}^@").split() == [base, head]
    assert user(place, "rev-parse", f"{made['squash']}^@").split() == [base]
    assert user(place, "log", "-1", "--format=%an|%cn|%B", made["merge"]) == "Ada Lovelace|Ada Lovelace|Title\n\nBody"
    shown = user(place, "log", "--format=%s|%an|%cn|%ad", "--date=raw", f"{base}..{made['rebase']}")
    assert shown.splitlines() == [
        "Later|Bob Ü|Ada Lovelace|1600000000 +0530",
        f"Theirs|Una User|Ada Lovelace|{user(place, 'log', '-1', '--format=%ad', '--date=raw', 'side')}",
    ]


def branch_on(place: Path, parent: str) -> str:
    """One more commit on `parent`, by somebody else and long ago."""
    user(place, "checkout", "-q", "--detach", parent)
    write(place, {"c": "c\n"})
    user(place, "add", "c")
    author = ("-c", "user.name=Una User", "commit", "-q", "-m", "Later", "--author=Bob Ü <bob@example.org>")
    user(place, *author, "--date=1600000000 +0530")
    head = user(place, "rev-parse", "HEAD")
    user(place, "checkout", "-q", "main")
    return head


async def test_a_rebase_that_changes_nothing_is_the_branch_itself(tmp_path: Path) -> None:
    place, base, head = fork(tmp_path, {}, {"b": "b\n"})
    assert await merge_commit(place, "rebase", base, head, "", author=ADA) == head


async def test_a_rebase_drops_what_the_base_has_and_merges(tmp_path: Path) -> None:
    place, base, head = fork(tmp_path, {"same": "s\n"}, {"same": "s\n"})
    user(place, "checkout", "-q", "side")
    user(place, "merge", "-q", "-m", "Merge main", "main")
    head = commit(place, {"more": "m\n"}, "More")
    new = await merge_commit(place, "rebase", base, head, "", author=ADA)
    assert user(place, "log", "--format=%s", f"{base}..{new}") == "More"
    assert user(place, "rev-parse", f"{new}^{{tree}}") == user(place, "rev-parse", f"{head}^{{tree}}")


async def test_nothing_to_merge(tmp_path: Path) -> None:
    place, base, head = fork(tmp_path, {}, {"b": "b\n"})
    for method in METHODS:
        with pytest.raises(GitRefused) as refused:
            await merge_commit(place, method, head, base, "Merge", author=ADA)
        assert refused.value.reason == "nothing_to_merge"


async def test_no_hook_and_no_signing_unless_asked(tmp_path: Path) -> None:
    place, base, head = fork(tmp_path, {}, {"b": "b\n"})
    user(place, "config", "commit.gpgsign", "true")
    user(place, "config", "gpg.program", "false")
    assert await merge_commit(place, "squash", base, head, "Merge", author=ADA)
    with pytest.raises(Exception, match="gpg failed"):
        await merge_commit(place, "squash", base, head, "Merge", author=ADA, sign=True)


async def test_odd_identities_can_commit(tmp_path: Path) -> None:
    place, base, head = fork(tmp_path, {}, {"b": "b\n"})
    made = await merge_commit(place, "squash", base, head, "M", author=Identity("<>\n", "x<y>@example.org"))
    assert user(place, "log", "-1", "--format=%an <%ae>", made) == "xy <xy@example.org>"


def test_a_digest_is_bound_to_each_of_its_parts() -> None:
    oids = ["1" * 40, "2" * 40, "3" * 40, "4" * 40]
    digests = {approval_digest(*oids)}
    for place in range(4):
        digests.add(approval_digest(*[*oids[:place], "5" * 40, *oids[place + 1 :]]))
    assert len(digests) == 5
    assert all(digest.startswith("sha256:") and len(digest) == 71 for digest in digests)


async def test_a_forecast_for_many_pairs(tmp_path: Path) -> None:
    place, base, head = fork(tmp_path, {"a": "ours\n", "ü b": "ours\n"}, {"a": "theirs\n", "ü b": "theirs\n"})
    user(place, "checkout", "-q", "--detach", "main^")
    apart = commit(place, {"apart": "x\n"})
    pairs = [(base, head), (base, apart), (head, apart), (head, base)]
    assert await forecast(place, pairs) == [("a", "ü b"), (), (), ("a", "ü b")]
    assert await forecast(place, []) == []
    with pytest.raises(GitRefused):
        await forecast(place, [(base, apart), (base, "1" * 40)])
