"""What is shown of a question: the exact call, the rule that asks, and what was answered."""

from datetime import datetime

from msgspec import Struct

from app.web.diffs import FileDiff


class CallView(Struct, frozen=True, kw_only=True):
    """A call in full, as far as a page can hold it. `verb`: "run a command"."""

    verb: str
    text: str = ""
    diff: FileDiff | None = None
    #: Characters that are not shown.
    cut: int = 0


class PermissionView(Struct, frozen=True, kw_only=True):
    """One question. `status` as in `app.permissions.rows`."""

    id: str
    status: str
    agent_name: str
    tool: str
    #: Tool and main argument.
    line: str
    call: CallView
    rule: str
    why: str
    asked_at: datetime
    answered_at: datetime | None = None
    answered_by: str = ""
    note: str = ""
    audit_id: str = ""
    session_id: str = ""
    #: What "allow for this …" allows it for: `task` or `conversation`.
    scope: str = "task"
    #: Whether its program waits for the answer; else it is told when it makes the call again.
    waits: bool = True

    @property
    def is_open(self) -> bool:
        """Whether an answer is still wanted."""
        return self.status == "open"


class PermissionPage(Struct, frozen=True, kw_only=True):
    """The page of one question, with where it comes from."""

    request: PermissionView
    agent_id: str
    task_id: str = ""
    task_title: str = ""
    session_title: str = ""
