"""What a session page shows: its head, its record of events, who watches. Durations are milliseconds.

An event's view says with `shape` which part of `templates/sessions/_event.html` draws it.
"""

from datetime import datetime
from typing import ClassVar, Literal

from markupsafe import Markup
from msgspec import Struct

from app.budgets.views import Gauge
from app.permissions.views import PermissionView
from app.tasks.views import Action, ActorKind, AgentLink, PageNotice
from app.web.diffs import FileDiff
from app.web.forms import Entered
from app.web.hidden import name_hidden, without_ansi


class EventView(Struct, frozen=True, kw_only=True):
    """One entry of the record. `number` is the event's, for the permalink `#e212` and the mark `data-event-seq`."""

    shape: ClassVar[str] = "status"

    number: int
    at: datetime
    actor: str = "AgentPane"
    actor_kind: ActorKind = "system"
    #: How many secrets were cut out of it before it was stored.
    redacted: int = 0


class MessageView(EventView, frozen=True, kw_only=True):
    """What an agent or a person wrote, as safe HTML. A `draft` is still being written and has the number 0."""

    shape: ClassVar[str] = "message"

    message_id: str
    html: Markup
    draft: bool = False


class OutputView(Struct, frozen=True, kw_only=True):
    """What a tool call took and gave, in the form that fits the tool."""

    kind: Literal["terminal", "diff", "code", "text"]
    html: Markup = Markup("")
    diff: FileDiff | None = None
    #: Shown before a terminal's output, when the line of the call cannot hold it.
    command: str = ""
    #: Characters of the whole output; some of them are not in `html` when `cut`.
    length: int = 0
    cut: bool = False


class ToolCallView(EventView, frozen=True, kw_only=True):
    """A tool call folded to one line. Built by `app.sessions.tool_views.tool_call`."""

    shape: ClassVar[str] = "tool"

    call_id: str
    tool: str
    argument: str
    status: Literal["running", "ok", "failed", "refused"]
    #: The word at the end of the line: `exit 1`, `212 lines`, `+38 −4`, `refused`.
    outcome: str
    duration_ms: int | None = None
    output: OutputView | None = None
    #: The row of the audit log that holds all of it; empty when there is none.
    audit_id: str = ""
    #: What it took and gave was emptied after the time that the project keeps it.
    emptied: bool = False


class StatusView(EventView, frozen=True, kw_only=True):
    """A line across the record: "Run 2 began after a rejection"."""

    shape: ClassVar[str] = "status"

    words: str
    run_status: str = ""


class DecisionView(EventView, frozen=True, kw_only=True):
    """A person's approval or rejection."""

    shape: ClassVar[str] = "decision"

    decision: Literal["approved", "accepted", "rejected", "conflict", "undone"]
    reason_html: Markup = Markup("")
    digest: str = ""
    #: The merge commit, when there was a merge.
    merged_as: str = ""


class AskedView(EventView, frozen=True, kw_only=True):
    """A call that the agent asked a person for, as its question stands now."""

    shape: ClassVar[str] = "permission"

    request: PermissionView


class ErrorView(EventView, frozen=True, kw_only=True):
    """Something failed; `code` is a run's `error_type` or one of the contract's error codes."""

    shape: ClassVar[str] = "error"

    title: str
    text: str = ""
    code: str = ""

    @property
    def shown(self) -> str:
        """The text without terminal sequences, hidden characters named."""
        return name_hidden(without_ansi(self.text))


class NoticeView(EventView, frozen=True, kw_only=True):
    """A line that is neither message nor tool: plain output of a program, a warning, a cut."""

    shape: ClassVar[str] = "notice"

    text: str
    level: Literal["info", "warning", "error"] = "info"

    @property
    def shown(self) -> str:
        """The text without terminal sequences, hidden characters named."""
        return name_hidden(without_ansi(self.text))


class PresenceView(EventView, frozen=True, kw_only=True):
    """A person came to watch, or went."""

    shape: ClassVar[str] = "presence"

    change: Literal["joined", "left"]


class SessionRun(Struct, frozen=True, kw_only=True):
    """The run that the head tells about: the live one, or the last. A count is None where nobody tells it."""

    id: str
    number: int
    status: str
    turns: int | None = None
    max_turns: int | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    started_at: datetime
    #: None while it runs: the page then counts from `started_at`.
    duration_ms: int | None = None
    #: What it has used of its budget.
    gauges: tuple[Gauge, ...] = ()


class SessionTask(Struct, frozen=True, kw_only=True):
    """The task that the session is the record of."""

    id: str
    title: str
    column: str
    rejection_count: int = 0
    branch: str = ""
    base_branch: str = ""
    files_changed: int | None = None
    lines_added: int = 0
    lines_removed: int = 0


class StandaloneView(Struct, frozen=True, kw_only=True):
    """What a session has that belongs to no task. `kind` is the type of its agent."""

    kind: str
    branch: str = ""
    base_branch: str = ""
    files_changed: int | None = None
    lines_added: int = 0
    lines_removed: int = 0
    #: Whether its changes can become a task now, and whether it can be closed.
    can_hand_in: bool = False
    can_close: bool = False
    form: Entered = Entered()


class QueuedView(Struct, frozen=True):
    """A person's message that waits for the agent's next turn. `form` is its own form that came back."""

    id: str
    author: str
    text: str
    #: It is about to be told: the agent's turn is being cut off for it.
    is_urgent: bool = False
    form: Entered = Entered()


class WatcherView(Struct, frozen=True):
    """Who looks at this session now."""

    name: str
    you: bool = False


class FilterView(Struct, frozen=True, kw_only=True):
    """One of the kinds of events that can be shown alone. `count` is None when counting would cost too much."""

    name: str
    href: str
    count: int | None = None
    current: bool = False


class SessionHead(Struct, frozen=True, kw_only=True):
    """The part of the page that changes with every run: `#session-head`."""

    id: str
    title: str
    #: What the pill says: one of the contract's stages, and a word when it says more ("Needs you: permission").
    stage: str
    stage_word: str = ""
    agent: AgentLink | None = None
    run: SessionRun | None = None
    branch: str = ""
    actions: tuple[Action, ...] = ()


class SessionPage(Struct, frozen=True, kw_only=True):
    """The page `/sessions/{id}`. Its frame's `page.stream` is `/sessions/{id}/events?after=<last number shown>`."""

    head: SessionHead
    task: SessionTask | None = None
    standalone: StandaloneView | None = None
    events: tuple[EventView, ...] = ()
    #: Messages that are being written just now.
    drafts: tuple[MessageView, ...] = ()
    #: Events before and after those shown, for the links; 0 when there are none.
    earlier: int = 0
    later: int = 0
    filters: tuple[FilterView, ...] = ()
    watching: tuple[WatcherView, ...] = ()
    notices: tuple[PageNotice, ...] = ()
    #: Why no message can be sent; empty when one can.
    closed: str = ""
    composer: Entered = Entered()
    queue: tuple[QueuedView, ...] = ()
    #: Whether a waiting message can be told before the agent has finished what it says now.
    can_send_now: bool = False

    @property
    def id(self) -> str:
        """The session's."""
        return self.head.id

    @property
    def agent_name(self) -> str:
        """Whom a message is for."""
        return self.head.agent.name if self.head.agent else "the agent"

    @property
    def before(self) -> int:
        """The number before which the earlier events lie."""
        return self.events[0].number if self.events else 0
