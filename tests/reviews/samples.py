"""A review page over patches of every kind, as the controllers would build it."""

from datetime import UTC, datetime

from app.reviews.views import CheckView, ConflictView, DecisionMade, FilePage, FileView, ReviewPage
from app.tasks.views import Action, AgentLink, PageNotice
from app.web.diffs import render_diff
from app.web.markdown import to_html

TASK = "e4t9rb2pqa"
DIGEST = "sha256:5be1c0a97f2e" + "0" * 52
CODE = '''\
@@ -12,4 +12,4 @@ from packaging.version import Version
 from packaging.version import Version
-from packaging.requirements import Requirement
+from packaging.utils import NormalizedName, canonicalize_name

 from wheelwright.index import Link
@@ -33,10 +33,10 @@ class Candidate:
 class Candidate:
     """One release of one project, with the extras that were asked for."""

-    def key(self) -> tuple[str, Version, frozenset[str]]:
-        return (self.name, self.version, frozenset(self.extras))
+    def key(self) -> CandidateKey:
+        return CandidateKey(self.name, self.version, normalise_extras(self.extras))

     def __eq__(self, other: object) -> bool:
-        if type(other) is not Candidate:
+        if not isinstance(other, Candidate):
             return NotImplemented
         return self.key() == other.key()
'''
PROJECT = """\
@@ -21,3 +21,4 @@ name = "wheelwright"
 dependencies = [
-  "packaging>=23",
+  "packaging>=24.1",
+  "typing-extensions>=4.12; python_version < '3.11'",
 ]
"""
NEW = "@@ -0,0 +1,3 @@\n+# Changes\n+\n+Extras \u202eare compared <b>normalised</b>.\n\\ No newline at end of file\n"
LONG = "@@ -1 +1 @@\n-" + "old_name, " * 60 + "\n+" + "new_name, " * 60 + "\n"


def files(task_id: str = TASK) -> tuple[FileView, ...]:
    """Changed, new, renamed, binary, long-lined and closed files."""

    def shown(path: str, patch: str, status: str = "M", **known: object) -> FileView:
        diff = render_diff(patch.encode(), path=path, status=status, old_path=str(known.get("old_path", "")))
        counted = {"added": diff.added, "removed": diff.removed, **known}
        return FileView(task_id=task_id, path=path, status=status, diff=diff, **counted)

    return (
        shown("src/wheelwright/resolver/candidates.py", CODE),
        shown("pyproject.toml", PROJECT),
        shown("docs/CHANGES.md", NEW, "A"),
        shown("src/wheelwright/index/a_file_with_a_rather_long_name_for_a_narrow_column.py", LONG),
        shown("src/od\u202ed.py", PROJECT),
        shown("bin/run", "old mode 100644\nnew mode 100755\n"),
        shown("docs/guide.md", "similarity index 100%\n", "R", old_path="guide.md"),
        shown("docs/pane.png", "Binary files a/docs/pane.png and b/docs/pane.png differ\n", added=None, removed=None),
        FileView(task_id=task_id, path="uv.lock", added=27, removed=14, generated=True),
        FileView(task_id=task_id, path="odd \u202ename?#%.py", status="D", added=0, removed=9200, large=True),
    )


def review_page(**changes: object) -> ReviewPage:
    """The whole page, waiting for a decision."""
    known: dict[str, object] = {
        "task_id": TASK,
        "title": "Normalise extras before comparing candidates",
        "column": "waiting_approval",
        "stage": "review",
        "agent": AgentLink("a1", "sonnet-1", "idle"),
        "session_id": "s1session",
        "run_number": 1,
        "turns": 22,
        "waiting_since": datetime(2026, 11, 22, 14, 2, tzinfo=UTC),
        "branch": "agent/e4t9rb/normalise-extras-before-comparing-candidates",
        "base_branch": "main",
        "base_oid": "8c41d0e" + "0" * 33,
        "head_oid": "f07a2b9" + "0" * 33,
        "digest": DIGEST,
        "files": files(),
        "added": 214,
        "removed": 88,
        "behind": 2,
        "can_decide": True,
        "approver": "Mara Lindqvist",
        "message": "Normalise extras before comparing candidates\n\nTask e4t9rb, approved by Mara Lindqvist",
        "decisions": (
            DecisionMade(
                decision="rejected",
                person="Tomás Okafor",
                at=datetime(2026, 11, 21, 17, 20, tzinfo=UTC),
                digest="sha256:a91f03c2",
                reason_html=to_html("Compare **normalised** names, please."),
            ),
        ),
    }
    return ReviewPage(**{**known, **changes})


def checked() -> ReviewPage:
    """The same page with a check that failed, one that has not run, and a conflict that was committed."""
    return review_page(
        checks=(
            CheckView(name="pre-commit", stage="done", duration=4200, log="All files are formatted."),
            CheckView(name="commit-msg", note="not run"),
            CheckView(name="command", stage="error", duration=61_000, log="FAILED test_extras.py\nmake: *** [test]"),
        ),
        unresolved=("src/wheelwright/resolver/candidates.py",),
    )


def conflicting() -> ReviewPage:
    """The same page after the branch moved, and does not merge any more."""
    return review_page(
        conflicts=(
            ConflictView("src/wheelwright/resolver/candidates.py", "both sides changed it"),
            ConflictView("pyproject.toml", "both sides changed it"),
        ),
        notices=(
            PageNotice(
                tone="need",
                title="The branch moved while you were reading.",
                text="You saw f07a2b9; it is now 91c3e55. Your approval was not taken and nothing was merged.",
                code="TASK_STALE_DIFF",
                actions=(Action(label="Show what is new", path=f"/tasks/{TASK}/review", method="get"),),
            ),
        ),
    )


def file_page() -> FilePage:
    """The page of one of its files."""
    return FilePage(
        task_id=TASK,
        title="Normalise extras before comparing candidates",
        column="waiting_approval",
        stage="review",
        digest=DIGEST,
        file=files()[0],
    )
