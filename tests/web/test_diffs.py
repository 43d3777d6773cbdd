"""Patches that git made become rows that say exactly what changed, whatever the files hold."""

import html
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.web.diffs import FileDiff, render_change, render_diff
from app.web.patches import read_patch

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


class Repository:
    """A real repository whose trees are compared with real git."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git("init", "-q", "-b", "main", ".")

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        return subprocess.run(
            ["git", *arguments], cwd=self.path, env=ENVIRONMENT, input=stdin, capture_output=True, check=True
        ).stdout

    def tree(self, *files: tuple[str, bytes, str]) -> str:
        entries = b""
        for name, content, mode in files:
            oid = self.git("hash-object", "-w", "--stdin", stdin=content).decode().strip()
            entries += f"{mode} blob {oid}\t".encode() + os.fsencode(name) + b"\0"
        return self.git("mktree", "-z", stdin=entries).decode().strip()

    def patch(self, old: str, new: str, *options: str) -> bytes:
        return self.git("-c", "core.quotePath=false", "diff-tree", "-r", "-p", "-M", *options, old, new)

    def change(self, old: bytes | None, new: bytes | None, name: str = "a.py", *options: str) -> bytes:
        before = [(name, old, "100644")] if old is not None else []
        after = [(name, new, "100644")] if new is not None else []
        return self.patch(self.tree(*before), self.tree(*after), *options)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("repository"))


def test_rows_are_numbered_and_changed_words_marked(repository):
    old = b"import a\n\n\ndef key(self) -> tuple:\n    return a\n"
    new = b"import a\n\n\ndef key(self) -> Key:\n    return a\n"

    diff = render_diff(repository.change(old, new), path="a.py")

    assert (diff.added, diff.removed, diff.truncated, diff.binary) == (1, 1, False, False)
    assert [(row.kind, row.old_no, row.new_no) for row in diff.hunks[0].rows] == [
        ("ctx", 1, 1), ("ctx", 2, 2), ("ctx", 3, 3), ("del", 4, None), ("add", None, 4), ("ctx", 5, 5),
    ]  # fmt: skip
    assert diff.hunks[0].rows[3].html.endswith("-&gt; <del>tuple</del>:")
    assert diff.hunks[0].rows[4].html.endswith("-&gt; <ins>Key</ins>:")


def test_marks_and_colours_nest(repository):
    diff = render_diff(repository.change(b'f("packaging>=23")\n', b'f("packaging>=24.1")\n'), path="a.py")

    assert diff.hunks[0].rows[1].html.startswith('f(<span class="s">&#34;packaging&gt;=</span><ins><span class="s">24')
    assert diff.hunks[0].rows[1].html.endswith('</span></ins><span class="s">&#34;</span>)')


def test_lines_that_have_little_in_common_get_no_marks(repository):
    diff = render_diff(repository.change(b"one two three four\n", b"something else entirely, here\n"), path="a.txt")

    assert not re.search("<ins>|<del>", "".join(row.html for row in diff.hunks[0].rows))


def test_a_string_over_several_lines_keeps_its_voice_on_each_side(repository):
    old, new = b'x = """\nold text\n"""\nreturn_ = 1\n', b'x = """\nnew text\n"""\nreturn_ = 1\n'

    rows = render_diff(repository.change(old, new), path="a.py").hunks[0].rows

    assert [row.html for row in rows if row.kind == "del"] == [
        '<del><span class="s">old</span></del><span class="s"> text</span>'
    ]
    assert rows[-1].html == "return_ = 1"


def test_html_in_code_is_text(repository):
    hostile = b"<script>alert(1)</script>\n<img src=x onerror=alert(1)>\n</td></table><form>\n"

    for name in ("a.html", "a.js", "a.txt"):
        diff = render_diff(repository.change(b"<script>alert(2)</script>\n", hostile, name), path=name)
        shown = "".join(row.html for row in diff.hunks[0].rows)
        assert not re.search(r"<(?!/?(?:span|ins|del)\b)", shown)


def test_hidden_characters_and_bytes_that_are_not_utf8_are_named(repository):
    patch = repository.change(b"", "if user == 'x\u202e':\n".encode() + b"caf\xe9\n")

    shown = [row.html for row in render_diff(patch, path="a.txt").hunks[0].rows]

    assert '<mark title="right-to-left override">U+202E</mark>' in shown[0]
    assert "caf<mark" in shown[1]
    assert "\\xE9</mark>" in shown[1]
    assert "".join(shown).encode()


@pytest.mark.parametrize("separator", [b"\x0b", b"\x0c", b"\x1c", b"\x85", b"\xc2\x85", b"\xe2\x80\xa8", b"\r"])
def test_only_a_line_feed_ends_a_row(repository, separator):
    patch = repository.change(b"a\n", b"a" + separator + b"+b\nc\n")

    assert [row.kind for row in render_diff(patch, path="a.txt").hunks[0].rows] == ["del", "add", "add"]


def test_windows_line_ends_are_told_once_and_their_change_is_seen(repository):
    whole = render_diff(repository.change(b"a\r\nb\r\n", b"a\r\nc\r\n"), path="a.txt")
    changed = render_diff(repository.change(b"a\nb\n", b"a\r\nb\r\n"), path="a.txt")

    assert whole.crlf
    assert "␍" not in "".join(row.html for row in whole.hunks[0].rows)
    assert not changed.crlf
    assert "␍" in changed.hunks[0].rows[-1].html


def test_a_missing_line_end_is_told_on_the_side_that_lacks_it(repository):
    rows = render_diff(repository.change(b"a\nb", b"a\nb\n"), path="a.txt").hunks[0].rows

    assert [(row.kind, row.no_newline) for row in rows] == [("ctx", False), ("del", True), ("add", False)]


def test_new_deleted_and_empty_files(repository):
    new = render_diff(repository.change(None, b"a\nb\n"), path="a.py", status="A")
    gone = render_diff(repository.change(b"a\n", None), path="a.py", status="D")
    empty = render_diff(repository.change(None, b""), path="a.py", status="A")

    assert (new.added, new.removed, new.status) == (2, 0, "A")
    assert (gone.added, gone.removed, gone.status) == (0, 1, "D")
    assert (empty.hunks, empty.binary, empty.truncated) == ((), False, False)


def test_a_mode_change_has_no_rows_but_says_so(repository):
    patch = repository.patch(
        repository.tree(("run.sh", b"ls\n", "100644")), repository.tree(("run.sh", b"ls\n", "100755"))
    )

    diff = render_diff(patch, path="run.sh")

    assert (diff.old_mode, diff.new_mode, diff.hunks) == ("100644", "100755", ())


def test_a_rename_has_both_names_and_only_its_changes(repository):
    content = b"".join(b"line %d\n" % number for number in range(20))
    patch = repository.patch(
        repository.tree(("old.txt", content, "100644")),
        repository.tree(("new.txt", content.replace(b"line 7\n", b"line seven\n"), "100644")),
    )

    diff = render_diff(patch, path="new.txt", old_path="old.txt", status="R")

    assert (diff.old_path, diff.added, diff.removed) == ("old.txt", 1, 1)


def test_a_file_that_became_a_link_is_shown_as_both(repository):
    patch = repository.patch(
        repository.tree(("a", b"content\n", "100644")), repository.tree(("a", b"target", "120000"))
    )

    diff = render_diff(patch, path="a", status="T")

    assert (diff.removed, diff.added) == (1, 1)
    assert (diff.old_mode, diff.new_mode) == ("100644", "120000")


def test_binary_files_have_no_rows(repository):
    diff = render_diff(repository.change(b"\0\1", b"\0\2"), path="a.bin")

    assert diff.binary
    assert diff.hunks == ()


@pytest.mark.parametrize("name", ['qu"ote.py', "tab\t.py", "blank .py", "naïve.py", "new\nline.py", "b\udcff.py"])
def test_names_come_from_the_caller_however_git_quotes_them(repository, name):
    diff = render_diff(repository.change(b"a\n", b"b\n", name), path=name)

    assert (diff.path, diff.added, diff.removed) == (name, 1, 1)


@pytest.mark.parametrize("line", [b"-- a/x", b"++ b/x", b"@@ -1 +1 @@", b"diff --git a/x b/x", b"\\ No newline", b""])
def test_code_that_looks_like_a_patch_is_code(repository, line):
    old, new = b"a\n" + line + b"\nb\n", b"a\n-" + line + b"\n" + line + b"\n"

    diff = render_diff(repository.change(old, new), path="a.txt")

    assert _side(diff, "del") == old
    assert _side(diff, "add") == new


def test_blank_context_lines_may_come_without_their_blank(repository):
    old, new = b"a\n\nb\n", b"a\n\nc\n"
    patch = repository.git(
        "-c", "diff.suppressBlankEmpty=true", "diff-tree", "-p",
        repository.tree(("a", old, "100644")), repository.tree(("a", new, "100644")),
    )  # fmt: skip

    assert _side(render_diff(patch, path="a"), "add") == new


def test_a_big_file_shows_its_first_rows_and_says_that_there_are_more(repository):
    patch = repository.change(None, b"x = 1\n" * 5000)

    diff = render_diff(patch, path="a.py", max_rows=100)

    assert diff.truncated
    assert [len(hunk.rows) for hunk in diff.hunks] == [100]
    assert not render_diff(patch, path="a.py", max_rows=0).truncated


def test_a_patch_that_was_cut_anywhere_is_shown_as_far_as_it_is_whole(repository):
    patch = repository.change(b"".join(b"line %d\n" % n for n in range(30)), b"new\n" * 30)

    assert not render_diff(patch, path="a.txt").truncated
    for length in range(len(patch)):
        assert render_diff(patch[:length], path="a.txt").added <= 30
    assert render_diff(patch[:-3], path="a.txt").truncated
    assert render_diff(patch[: patch.rindex(b"\n", 0, -1) + 1], path="a.txt").truncated


def test_word_marks_and_colours_cost_a_bounded_time():
    removed = "".join(f"-{'a b ' * 95}{n}\n" for n in range(700))
    added = "".join(f"+{'b a ' * 95}{n}\n" for n in range(700, 1390))
    patch = f"@@ -1,700 +1,690 @@\n{removed}{added}".encode()
    started = time.monotonic()

    diff = render_diff(patch, path="a.py")

    assert (diff.removed, diff.added) == (700, 690)
    assert time.monotonic() - started < 10


def test_an_agents_edit_is_a_small_diff():
    diff = render_change("delay = 1\nsleep(delay)", "delay = 2\nsleep(delay)", "client.py")

    assert [row.kind for row in diff.hunks[0].rows] == ["del", "add", "ctx"]
    assert render_change("", "a\n", "a.py").added == 1
    assert render_change("same", "same", "a.py").hunks == ()


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [b"", b"a", b"b", b"-x", b"+x", b"@@ -1 +1 @@", b"\\ No newline at end of file", b"x\r", b'"""']
        ),
        st.binary(max_size=6).map(lambda line: line.replace(b"\n", b"").replace(b"\0", b"")),
    ),
    max_size=25,
)
FILES = st.builds(lambda lines, end: b"\n".join(lines) + end, LINES, st.sampled_from([b"", b"\n"]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=FILES, new=FILES)
def test_the_rows_are_both_files(repository, old, new):
    patch = repository.change(old, new, "a.py", "--text", "-U100000")
    if old == new:
        assert patch == b""
        return

    diff = render_diff(patch, path="a.py", max_rows=0)

    assert _side(diff, "del") == old
    assert _side(diff, "add") == new
    assert not diff.truncated


def test_the_reader_needs_no_header():
    assert read_patch(b"@@ -1 +1 @@ def f():\n-a\n+b\n").hunks[0].header == "def f():"


def _side(diff: FileDiff, kind: str) -> bytes:
    """The file that the rows of one side say there is."""
    content = b""
    for hunk in diff.hunks:
        for row in hunk.rows:
            if row.kind in ("ctx", kind):
                content += _text(row.html) + (b"\r" if diff.crlf else b"") + (b"" if row.no_newline else b"\n")
    return content


def _text(shown: str) -> bytes:
    """The bytes that a row's HTML stands for."""
    text = re.sub(r"<mark[^>]*>([^<]*)</mark>", lambda found: _character(html.unescape(found[1])), shown)
    return html.unescape(re.sub(r"<[^>]*>", "", text)).encode("utf-8", "surrogateescape")


def _character(name: str) -> str:
    if name.startswith("\\x"):
        return chr(0xDC00 + int(name[2:], 16))
    return chr(int(name[2:], 16)) if name.startswith("U+") else chr(ord(name) - 0x2400)
