"""What people type about budgets and prices."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from app.budgets.rows import MEASURES, SPANS, Action, LimitRow, Measure, Span

Turns = Annotated[int, Meta(ge=1, le=1_000_000)]
Minutes = Annotated[int, Meta(ge=1, le=1_000_000)]
TokenCount = Annotated[int, Meta(ge=1, le=1_000_000_000_000)]
Money = Annotated[float, Meta(ge=0.01, le=1_000_000)]
Rate = Annotated[float, Meta(ge=0, le=100_000)]


class Limits(Struct, frozen=True, kw_only=True):
    """Fields named `{span}_{measure}` and `{span}_action`; empty is no word about it."""

    #: Set what is used up already all the same.
    confirm: bool = False

    def rows(self, agent_id: str | None = None, task_id: str | None = None) -> Iterator[LimitRow]:
        """The rows to store: one for each span of which anything is said."""
        for span in SPANS:
            said = {measure: self.limit(span, measure) for measure in MEASURES}
            action: Action | None = getattr(self, f"{span}_action", None) or None
            if action or any(value is not None for value in said.values()):
                yield LimitRow(agent_id=agent_id, task_id=task_id, span=span, action=action, **said)  # type: ignore[arg-type]

    def limit(self, span: Span, measure: Measure) -> int | Decimal | None:
        """What was typed."""
        typed = getattr(self, f"{span}_{measure}", None)
        return Decimal(str(typed)) if typed is not None and measure == "money" else typed


class ProjectBudgets(Limits, frozen=True, kw_only=True):
    """The form of a project. Turns and minutes of a run are of its configuration."""

    run_tokens: TokenCount | None = None
    run_money: Money | None = None
    run_action: Action = "stop"
    task_turns: Turns | None = None
    task_minutes: Minutes | None = None
    task_tokens: TokenCount | None = None
    task_money: Money | None = None
    task_action: Action = "stop"
    day_turns: Turns | None = None
    day_minutes: Minutes | None = None
    day_tokens: TokenCount | None = None
    day_money: Money | None = None
    day_action: Action = "stop"


class AgentBudget(Limits, frozen=True, kw_only=True):
    """The form of an agent: defaults of its runs. An empty action is the project's."""

    run_tokens: TokenCount | None = None
    run_money: Money | None = None
    run_action: Literal["", "warn", "ask", "stop"] = ""


class TaskBudget(AgentBudget, frozen=True, kw_only=True):
    """The form of a task: for each of its runs, and for all of them together."""

    task_turns: Turns | None = None
    task_minutes: Minutes | None = None
    task_tokens: TokenCount | None = None
    task_money: Money | None = None
    task_action: Literal["", "warn", "ask", "stop"] = ""


class BudgetAnswer(Struct, frozen=True, kw_only=True):
    """The form of a question at a limit."""

    decision: Literal["raised", "once", "ended"]
    #: The new limit, in the unit of the old one.
    most: Annotated[float, Meta(ge=0.01, le=1_000_000_000_000)] | None = None


class PriceForm(Struct, frozen=True, kw_only=True):
    """The forms 'Add a price' and 'Change'. USD for a million tokens."""

    pattern: Annotated[str, Meta(min_length=1, max_length=200)]
    input: Rate
    output: Rate
    #: Empty: as other input.
    cache_read: Rate | None = None
    cache_write: Rate | None = None

    def decimal(self, name: str) -> Decimal | None:
        """A price, exactly as it was typed."""
        typed = getattr(self, name)
        return None if typed is None else Decimal(str(typed))
