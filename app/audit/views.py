"""What the audit log shows. Durations are milliseconds."""

from datetime import datetime

from msgspec import Struct

from app.audit.filters import Filter
from app.web.forms import Entered


class AuditRow(Struct, frozen=True, kw_only=True):
    """One row: a tool call, or an entry of the chain that is none. `outcome` is a word; `audit_icons` has its icon."""

    id: str
    href: str
    timestamp: datetime
    kind: str = "call"
    who: str = ""
    #: The tool, or what kind of thing happened.
    what: str
    #: What says most about it, on one line.
    argument: str = ""
    task_id: str = ""
    task_title: str = ""
    duration: int | None = None
    outcome: str


#: What a filter can be set to: its value, and the words for it.
Choice = tuple[str, str]


class ToolTotal(Struct, frozen=True, kw_only=True):
    """All calls of one tool that match. `failed` counts refused ones too."""

    tool: str
    calls: int
    failed: int
    total: int
    median: int | None


class Totals(Struct, frozen=True, kw_only=True):
    """What the calls that match come to."""

    tools: tuple[ToolTotal, ...] = ()
    calls: int = 0
    failed: int = 0
    refused: int = 0
    slowest: tuple[AuditRow, ...] = ()


class Paging(Struct, frozen=True, kw_only=True):
    """A page of a list that grows at its end. Pages are counted from the oldest row, so a number means the same rows
    for ever; the newest page takes what is left too."""

    number: int = 1
    pages: int = 1
    newest: str = ""
    newer: str = ""
    older: str = ""
    oldest: str = ""


class AuditList(Struct, frozen=True, kw_only=True):
    """A page of the audit log, newest first, and what there is to choose from. `found` rows of `total` match."""

    project_id: str
    rows: tuple[AuditRow, ...] = ()
    total: int = 0
    found: int = 0
    filter: Filter = Filter()
    form: Entered = Entered()
    #: What was chosen, as the address of an export takes it: empty, or `?tool=Bash`.
    query: str = ""
    paging: Paging = Paging()
    tools: tuple[Choice, ...] = ()
    agents: tuple[Choice, ...] = ()
    tasks: tuple[Choice, ...] = ()
    people: tuple[Choice, ...] = ()
    totals: Totals = Totals()


class ChainView(Struct, frozen=True, kw_only=True):
    """A project's chain: its head, what the last verification found, and how far one is that goes on.

    `verified_to` is the number up to which the chain was followed then; `number` is the newest.
    """

    project_id: str
    number: int = 0
    hash: str = ""
    going_on: bool = False
    done: int = 0
    of: int = 0
    verified_at: datetime | None = None
    verified_by: str = ""
    verdict: str = ""
    is_whole: bool = False
    verified_to: int = 0


class Part(Struct, frozen=True, kw_only=True):
    """A part of a long text. `size` is the whole's in bytes, `number` counts from 1; the addresses are of the parts
    before and after, empty at the ends."""

    text: str = ""
    size: int = 0
    number: int = 1
    parts: int = 1
    before: str = ""
    after: str = ""


class LinkView(Struct, frozen=True):
    """An entry of the chain, with the beginnings of its hash and of the one before."""

    number: int
    kind: str
    hash: str
    previous_hash: str


class AskedFor(Struct, frozen=True):
    """A person was asked for a call, by a rule; `words` say what came of it."""

    id: str
    rule: str
    words: str
    by: str
    note: str


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One tool call in full, or as much as its parts hold: `input` as indented JSON, `output` and `error` as text."""

    row: AuditRow
    agent_id: str = ""
    agent_name: str = ""
    turn_number: int = 0
    status: str = ""
    refused: bool = False
    input: Part = Part()
    output: Part = Part()
    error: str = ""
    #: Input, output and error were emptied after the time that the project keeps them.
    emptied: bool = False
    asked: AskedFor | None = None
    redacted: int = 0
    links: tuple[LinkView, ...] = ()
    run_id: str = ""
    session_id: str = ""
    #: The number of the event in the session, 0 when it is not known.
    event: int = 0


class ChainEntryView(Struct, frozen=True, kw_only=True):
    """One entry of the chain in full. `content` is indented JSON."""

    row: AuditRow
    number: int
    kind: str
    actor: str
    content: str
    hash: str
    previous_hash: str
