"""What the review page shows: the diff, the state of the branch, and the two forms of a decision."""

import os
from datetime import datetime
from hashlib import sha256
from typing import Literal
from urllib.parse import quote

from markupsafe import Markup
from msgspec import Struct

from app.tasks.views import AgentLink, PageNotice
from app.web.diffs import FileDiff
from app.web.forms import Entered
from app.web.hidden import name_hidden

#: Longest reason that the contract allows.
MAX_REASON = 1000

METHODS = (
    ("merge", "Merge commit", "Keeps the agent's commits"),
    ("squash", "Squash into one", ""),
    ("rebase", "Rebase", "The agent's commits on top of the base"),
)


class FileView(Struct, frozen=True, kw_only=True):
    """One changed file: a line of the list, and its section with the diff or, while `diff` is None, a link to it."""

    task_id: str
    path: str
    old_path: str = ""
    #: git's letter: A, M, D, R, C, T.
    status: str = "M"
    #: None for a binary file.
    added: int | None = 0
    removed: int | None = 0
    #: Why the file is closed at first.
    large: bool = False
    generated: bool = False
    diff: FileDiff | None = None

    @property
    def anchor(self) -> str:
        """The id of the file's section: the same for the same path, whatever else changes."""
        return "f" + sha256(self.path.encode("utf-8", "surrogateescape")).hexdigest()[:8]

    @property
    def folder(self) -> str:
        """The path up to its last slash, hidden characters named."""
        return name_hidden(self.path[: self.path.rfind("/") + 1])

    @property
    def name(self) -> str:
        """The path after its last slash, hidden characters named."""
        return name_hidden(self.path[self.path.rfind("/") + 1 :])

    @property
    def old_name(self) -> str:
        """The whole path before a rename, hidden characters named."""
        return name_hidden(self.old_path)

    @property
    def short_name(self) -> str:
        """Folder and name, for a narrow column."""
        return name_hidden("/".join(self.path.split("/")[-2:]))

    @property
    def href(self) -> str:
        """The page of this file's diff."""
        return f"/tasks/{self.task_id}/diff/{quote(os.fsencode(self.path))}"

    @property
    def closed_because(self) -> str:
        """The words beside a file that is not open at first."""
        return (
            "Generated file, opened on demand"
            if self.generated
            else "Large file, opened on demand"
            if self.large
            else ""
        )


class ConflictView(Struct, frozen=True):
    """A file that does not merge; `words` is what git says of it."""

    path: str
    words: str = ""

    @property
    def name(self) -> str:
        """The path for a page, hidden characters named."""
        return name_hidden(self.path)


class CheckView(Struct, frozen=True, kw_only=True):
    """One check before the merge. `stage` is `done` (passed), `starting` (it runs), `error` or `idle` (not run)."""

    name: str
    stage: str = "idle"
    note: str = ""
    #: Milliseconds.
    duration: int | None = None
    log: str = ""
    #: Steps of a worktree have a form of their own here; all checks share one.
    again: str = ""


class DecisionMade(Struct, frozen=True, kw_only=True):
    """An earlier decision on this task."""

    decision: Literal["approved", "accepted", "rejected", "conflict", "undone"]
    person: str
    at: datetime
    digest: str = ""
    #: The merge commit, when there was a merge.
    merged_as: str = ""
    #: What spoke against a merge that was approved all the same.
    despite: tuple[str, ...] = ()
    reason_html: Markup = Markup("")


class ReviewPage(Struct, frozen=True, kw_only=True):
    """The page `/tasks/{id}/review`."""

    task_id: str
    title: str
    column: Literal["backlog", "in_progress", "waiting_approval", "verified"]
    stage: str
    stage_word: str = ""
    agent: AgentLink | None = None
    session_id: str | None = None
    #: Number and turns of the run whose work this is.
    run_number: int | None = None
    turns: int | None = None
    waiting_since: datetime | None = None

    branch: str
    base_branch: str
    base_oid: str
    head_oid: str
    #: `sha256:…` over exactly what is shown; a decision carries it back.
    digest: str
    files: tuple[FileView, ...] = ()
    added: int = 0
    removed: int = 0
    #: Files beyond those listed, when there are very many.
    files_left_out: int = 0
    #: Commits of the base branch that the task's branch does not have.
    behind: int = 0
    conflicts: tuple[ConflictView, ...] = ()
    checks: tuple[CheckView, ...] = ()
    #: Files in which a conflict was committed without being resolved.
    unresolved: tuple[str, ...] = ()
    #: The branch has nothing that the base has not.
    nothing_to_merge: bool = False

    #: Whether the forms are there at all; `blocked` says why the work cannot be approved although it waits.
    can_decide: bool = False
    blocked: str = ""
    #: Who decides; the form lets them write another name.
    approver: str = ""
    message: str = ""
    merge_methods: tuple[str, ...] = ("merge", "squash", "rebase")
    merge_method: str = "merge"
    approve_form: Entered = Entered()
    reject_form: Entered = Entered()
    #: The form that is shown open, because it came back with an error.
    open_form: Literal["", "approve", "reject"] = ""

    notices: tuple[PageNotice, ...] = ()
    decisions: tuple[DecisionMade, ...] = ()

    @property
    def methods(self) -> tuple[tuple[str, str, str], ...]:
        """The merge methods that the project allows: value, name, explanation."""
        return tuple(method for method in METHODS if method[0] in self.merge_methods)

    @property
    def speaks_against(self) -> bool:
        """Whether approving needs the tick 'merge all the same'."""
        return bool(self.unresolved) or any(check.stage != "done" for check in self.checks)

    @property
    def has_run_checks(self) -> bool:
        """Whether running them is 'again'."""
        return any(check.stage != "idle" for check in self.checks)

    @property
    def agent_name(self) -> str:
        """Who gets the reason."""
        return self.agent.name if self.agent else "the agent"


class FilePage(Struct, frozen=True, kw_only=True):
    """The page `/tasks/{id}/diff/{path}`: one file, whole."""

    task_id: str
    title: str
    column: str
    stage: str
    digest: str
    file: FileView
