"""What the board and the overview show. Templates read these structs and nothing else."""

from datetime import datetime

from msgspec import Struct

from app.web.forms import Entered


class Card(Struct, frozen=True, kw_only=True):
    """One task on the board.

    Frozen and hashable on purpose: `app.board.cards` keeps the HTML of a card by the card itself, so a field that the
    card shows must be here, and nothing that differs by viewer or by second may be. `stage` is one of
    `app.web.templates.STAGES`. Numbers that are unknown are 0, texts that are unknown are empty.
    """

    id: str
    title: str
    column: str
    position: int
    stage: str
    labels: tuple[str, ...] = ()
    agent_id: str = ""
    agent_name: str = ""
    session_id: str = ""
    #: Where the question is answered that waits for a person.
    asked_path: str = ""
    #: Place in the queue of the project, from 1.
    queue_place: int = 0
    #: While its worktree is made: the running step's name and number, and how many there are.
    step: str = ""
    step_number: int = 0
    step_count: int = 0
    #: What the agent does now: the tool and its main argument.
    tool: str = ""
    argument: str = ""
    turn: int = 0
    max_turns: int = 0
    #: When the run began, while it goes on.
    running_since: datetime | None = None
    #: Somebody wants its run to rest; and since when it does.
    pause_requested: bool = False
    paused_since: datetime | None = None
    #: Whether its run has, or had, no sandbox.
    no_sandbox: bool = False
    #: Whether its run has used most of what a budget gives it, or more.
    near_a_limit: bool = False
    #: Why it stands in error or why it stopped early: `api_error`, `turn_limit`, …
    error_type: str = ""
    #: One or two lines for a person: the last error, or the reason of a rejection.
    note: str = ""
    files_changed: int | None = None
    lines_added: int = 0
    lines_removed: int = 0
    waiting_since: datetime | None = None
    rejection_count: int = 0
    approved_by: str = ""
    approved_at: datetime | None = None


class Column(Struct, frozen=True, kw_only=True):
    """One of the four. `total` counts its tasks whatever the filter hides; `slots`: how many agents may work."""

    key: str
    name: str
    cards: tuple[Card, ...] = ()
    total: int = 0
    slots: int = 0
    oldest: datetime | None = None
    #: Where the budget is that holds its queue back; empty while nothing does.
    held_by: str = ""


class AttentionItem(Struct, frozen=True, kw_only=True):
    """One thing that waits for a person. `lead`: the coloured words before `detail`; `action`: the button's word."""

    stage: str
    title: str
    href: str
    lead: str
    detail: str = ""
    code: str = ""
    since: datetime | None = None
    project_name: str = ""
    action: str = "Open"


class LabelCount(Struct, frozen=True):
    """A label used in the project, and on how many cards."""

    name: str
    count: int


class AgentChoice(Struct, frozen=True):
    """An agent that a new task may ask for."""

    id: str
    name: str


class Board(Struct, frozen=True, kw_only=True):
    """The board of one project. `query` and `label` are the filter in the URL; `form` is the form of a new card."""

    project_id: str
    project_name: str
    columns: tuple[Column, ...]
    attention: tuple[AttentionItem, ...] = ()
    labels: tuple[LabelCount, ...] = ()
    query: str = ""
    label: str = ""
    agents: tuple[AgentChoice, ...] = ()
    agents_at_work: int = 0
    queued: int = 0
    form: Entered = Entered()


class ProjectRow(Struct, frozen=True, kw_only=True):
    """One project in the overview: what needs a person, who is at work, and the four counts."""

    id: str
    name: str
    path: str
    default_branch: str
    asks: int = 0
    reviews: int = 0
    errors: int = 0
    agents: tuple[str, ...] = ()
    backlog: int = 0
    in_progress: int = 0
    waiting_approval: int = 0
    verified: int = 0


class Overview(Struct, frozen=True):
    """All projects, and everything that needs a person, oldest first."""

    projects: tuple[ProjectRow, ...] = ()
    attention: tuple[AttentionItem, ...] = ()
