"""What the pages of budgets and prices show."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from app.budgets.pricing import Price
from app.web.forms import Entered


class Gauge(Struct, frozen=True, kw_only=True):
    """What was used of one measure. `most` is empty where nothing limits it, and so is `share` (0 to 100)."""

    name: str
    #: With its unit; `unknown` where nobody tells.
    used: str
    most: str = ""
    share: int = 0
    #: `near` from four fifths on, `full` at the limit and beyond.
    state: str = ""


class FieldView(Struct, frozen=True, kw_only=True):
    """One limit that can be set. `other` is what holds without it."""

    name: str
    label: str
    value: str = ""
    other: str = ""


class SpanView(Struct, frozen=True, kw_only=True):
    """One part of the form: for each run, for a task, for a day."""

    span: str
    title: str
    about: str
    fields: tuple[FieldView, ...]
    action: str = ""
    #: The choices of the action, as pairs of value and words.
    actions: tuple[tuple[str, str], ...] = ()
    gauges: tuple[Gauge, ...] = ()
    notes: tuple[str, ...] = ()


class AlertView(Struct, frozen=True, kw_only=True):
    """A warning, a question or an ending in a list."""

    id: str
    line: str
    #: What became of it, and by whom: `raised`, `asks`.
    word: str
    by: str = ""
    is_open: bool = False
    title: str = ""
    run_id: str = ""
    at: datetime


class BudgetPage(Struct, frozen=True, kw_only=True):
    """The budget of a project, an agent or a task. `action` is where its form is sent."""

    title: str
    action: str
    #: From the project down, as pairs of address and name.
    crumbs: tuple[tuple[str, str], ...]
    spans: tuple[SpanView, ...]
    notes: tuple[str, ...] = ()
    alerts: tuple[AlertView, ...] = ()
    #: Whether a limit that was typed is used up already, so that it must be confirmed.
    must_confirm: bool = False
    saved: bool = False
    form: Entered = Entered()


class QuestionPage(Struct, frozen=True, kw_only=True):
    """The page of a question at a limit, or of what became of it."""

    id: str
    project_id: str
    title: str
    agent_id: str
    agent_name: str
    run_id: str
    session_id: str
    task_id: str
    line: str
    #: `this run`, `this task`, `this project today`.
    span_words: str
    measure: str
    #: The limit, what was used when it was asked and what is used now, with their units.
    most: str
    used: str
    used_now: str
    #: A number that would do, and the smallest step of the field.
    suggestion: str
    step: str
    status: str
    #: What became of it.
    word: str
    note: str
    answered_by: str
    asked_at: datetime
    answered_at: datetime | None
    #: How many other runs ask at the same limit.
    alike: int = 0
    form: Entered = Entered()

    @property
    def is_open(self) -> bool:
        """Whether an answer is still wanted."""
        return self.status == "open"


class PricesPage(Struct, frozen=True, kw_only=True):
    """The price table. `form` is the form of a new price that came back, `forms` those of known ones, by id."""

    prices: tuple[Price, ...]
    #: Models that were used and that no price fits, with the tokens whose cost nobody knows.
    unpriced: tuple[tuple[str, int], ...] = ()
    form: Entered = Entered()
    forms: dict[str, Entered] = {}

    def form_of(self, price_id: str) -> Entered:
        """The form of a known price."""
        return self.forms.get(price_id, Entered())

    def plain(self, value: Decimal | None) -> str:
        """A number as a field holds it."""
        return plain(value)


def plain(value: Decimal | int | None) -> str:
    """A number as a field holds it: `0.5`, `1000`."""
    if value is None:
        return ""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
