"""What the page of one task shows. Texts are plain unless they are `Markup`; durations are milliseconds."""

from datetime import datetime
from typing import Literal

from markupsafe import Markup
from msgspec import Struct

from app.configuration.views import ConfigurationView
from app.web.forms import Entered

ActorKind = Literal["person", "agent", "system"]
Tone = Literal["", "live", "need", "fail", "done"]


class Action(Struct, frozen=True, kw_only=True):
    """A button that sends a plain form, or a link where `method` is `get`."""

    label: str
    path: str
    icon: str = ""
    method: Literal["post", "get"] = "post"
    #: "" outlined, `primary` when a person must act, `danger`, `approve` for a merge.
    tone: Literal["", "primary", "danger", "approve", "quiet"] = ""
    #: Hidden fields, as pairs of name and value.
    fields: tuple[tuple[str, str], ...] = ()


def pause_action(agent_id: str, stage: str, pause_requested: bool) -> Action:
    """The button for a live run: pause it, let it go on, or take back a pause that has not come yet."""
    if not pause_requested:
        return Action(label="Pause", path=f"/agents/{agent_id}/pause", icon="pause")
    if stage == "paused":
        return Action(label="Resume", path=f"/agents/{agent_id}/resume", icon="play", tone="primary")
    return Action(label="Do not pause", path=f"/agents/{agent_id}/resume", icon="play")


def is_about_a_limit(asked: str) -> bool:
    """Whether a question is one at a limit: then the answer lets the run go on, and nothing else does."""
    return asked.startswith("/budgets/")


class PageNotice(Struct, frozen=True, kw_only=True):
    """A sentence above the content. `code` is one of the contract's error codes, or a run's `error_type`."""

    title: str
    text: str = ""
    tone: Tone = ""
    code: str = ""
    items: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()


class AgentLink(Struct, frozen=True):
    """An agent by name; `status` is `agents.status`."""

    id: str
    name: str
    status: str = "idle"


class RunView(Struct, frozen=True, kw_only=True):
    """One run. A count is None where its program does not tell."""

    id: str
    number: int
    #: As in `run_details.cause`.
    cause: str
    status: str
    #: Whether it waits for a person.
    asks: bool = False
    agent: str
    runner: str = ""
    model: str = ""
    session_id: str | None = None
    turns: int | None = None
    max_turns: int | None = None
    tools: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    started_at: datetime
    #: None while it runs.
    duration_ms: int | None = None
    error: str = ""
    error_type: str = ""
    prompt: str = ""
    result_html: Markup = Markup("")

    @property
    def tokens(self) -> int | None:
        """Tokens read and written, as far as they are known."""
        known = [count for count in (self.tokens_in, self.tokens_out) if count is not None]
        return sum(known) if known else None


class FeedItem(Struct, frozen=True, kw_only=True):
    """What a person, an agent or AgentPane did, newest last."""

    actor: str
    actor_kind: ActorKind
    words: str
    at: datetime
    #: A glyph in place of the actor's avatar, for what went wrong or is done.
    stage: str = ""
    #: A decision's digest, a commit, or another short reference.
    reference: str = ""
    #: What was said with it, such as a rejection's reason.
    quote_html: Markup = Markup("")


class StepView(Struct, frozen=True, kw_only=True):
    """One step of making a worktree, as `worktrees/_steps.html` draws it: `done`, `starting`, `error` or `idle`.

    `again` would be where it is carried out once more; the task's page does not offer that.
    """

    name: str
    stage: str
    note: str = ""
    duration: int | None = None
    log: str = ""
    again: str = ""


class WorktreePanel(Struct, frozen=True, kw_only=True):
    """The task's worktree. `actions` are those its status allows: retry, remove."""

    id: str
    status: Literal["creating", "active", "merging", "removing", "removed", "error"]
    branch: str
    base_branch: str
    path: str
    last_error: str = ""
    #: Its own on this machine while it is on disk, and the first and last of its ports.
    number: int | None = None
    ports: tuple[int, int] | None = None
    steps: tuple[StepView, ...] = ()
    actions: tuple[Action, ...] = ()


class EditForm(Struct, frozen=True, kw_only=True):
    """The form 'Edit task': what is stored, what was typed, the agents to choose from as pairs of id and name."""

    form: Entered
    title: str
    description: str = ""
    labels: tuple[str, ...] = ()
    agent_id: str = ""
    agents: tuple[tuple[str, str], ...] = ()
    #: What holds for this task alone.
    model: str = ""
    max_turns: int | None = None
    timeout_minutes: int | None = None
    allowed_tools: tuple[str, ...] = ()
    #: Shown open, because it came back with errors or was asked for.
    open: bool = False


class TaskPage(Struct, frozen=True, kw_only=True):
    """The page `/tasks/{id}`."""

    id: str
    title: str
    column: Literal["backlog", "in_progress", "waiting_approval", "verified"]
    position: int
    stage: str
    #: The word beside the stage's glyph when it says more than the stage: "Queued, 2nd".
    stage_word: str = ""
    labels: tuple[str, ...] = ()
    description_html: Markup = Markup("")
    created_at: datetime
    rejection_count: int = 0
    agent: AgentLink | None = None
    runner: str = ""
    session_id: str | None = None
    branch: str = ""
    base_branch: str = ""
    #: The work as measured when the last run ended; None before that.
    files_changed: int | None = None
    lines_added: int = 0
    lines_removed: int = 0
    diff_summary: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
    #: The one thing to do next, and what else can be done.
    primary: Action | None = None
    actions: tuple[Action, ...] = ()
    #: The form for cancelling, undoing the merge or deleting stands at the foot of the page where it is possible.
    can_cancel: bool = False
    can_undo: bool = False
    undo_form: Entered = Entered()
    #: Empty for a task that was accepted without a merge: undoing only opens it again.
    merged_into: str = ""
    can_delete: bool = False
    notices: tuple[PageNotice, ...] = ()
    #: Newest first.
    runs: tuple[RunView, ...] = ()
    feed: tuple[FeedItem, ...] = ()
    worktree: WorktreePanel | None = None
    edit: EditForm | None = None
    #: What holds for its next run, and who said it.
    configuration: ConfigurationView | None = None
