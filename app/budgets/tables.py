"""The tables of budgets, as `docs/schema.md` describes them."""

from typing import Any

from piccolo.columns import BigInt, Date, ForeignKey, Integer, Numeric, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.columns.reference import LazyTableReference
from piccolo.constraints import Unique
from piccolo.table import Table

from app.agents.tables import Agent
from app.postgres.columns import EnumColumn, Id
from app.projects.tables import Project
from app.tasks.tables import Task

#: Of money in USD, exactly: a price of a millionth part of a dollar for a million tokens has 12 places a token.
MONEY = (24, 12)


class BudgetLimit(Table, tablename="budget_limits"):
    """What one project, agent or task says of one span; null is no word about it."""

    id = Id()
    project_id = ForeignKey(Project, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action, index=True)
    #: Whose it is; neither: the project's own.
    agent_id = ForeignKey(Agent, null=True, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    task_id = ForeignKey(Task, null=True, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    span = EnumColumn("budget_span", default="run")
    turns = Integer(null=True, default=None)
    minutes = Integer(null=True, default=None)
    #: Read and written, cached ones too.
    tokens = BigInt(null=True, default=None)
    #: USD.
    money = Numeric(MONEY, null=True, default=None)
    #: What happens at the limit.
    action = EnumColumn("budget_action", null=True, default=None)
    updated_at = Timestamptz(default=TimestamptzNow())


class RunUsage(Table, tablename="run_usage"):
    """What one run used on one day with one model. The sum over its rows is what its program told."""

    run_usage_place = Unique(["run_id", "model", "day"])

    id = Id()
    project_id = ForeignKey(Project, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    task_id = ForeignKey(Task, null=True, on_delete=OnDelete.set_null, on_update=OnUpdate.no_action, index=True)
    run_id: Any = ForeignKey(
        LazyTableReference("AgentRun", module_path="app.runs.tables"),
        null=False,
        on_delete=OnDelete.cascade,
        on_update=OnUpdate.no_action,
    )
    #: As its program calls it; empty where nobody told.
    model = Text(default="")
    #: The server's local day.
    day = Date(default=None, index=True)
    turns = Integer(default=0)
    worked_ms = BigInt(default=0)
    #: Null where the program does not tell. Input counts cached tokens too.
    input_tokens = BigInt(null=True, default=None)
    output_tokens = BigInt(null=True, default=None)
    #: Parts of the input, where the program tells.
    cache_read_tokens = BigInt(null=True, default=None)
    cache_write_tokens = BigInt(null=True, default=None)
    #: As the program told, else by the price table; null where neither knows.
    cost_usd = Numeric(MONEY, null=True, default=None)
    #: Tokens for which nobody knows the cost.
    unpriced_tokens = BigInt(default=0)


class BudgetAlert(Table, tablename="budget_alerts"):
    """A limit that a run came near to or reached: a warning, a question, or the end of the run."""

    id = Id()
    project_id = ForeignKey(Project, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action, index=True)
    task_id = ForeignKey(Task, null=True, on_delete=OnDelete.set_null, on_update=OnUpdate.no_action, index=True)
    agent_id = ForeignKey(Agent, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    run_id: Any = ForeignKey(
        LazyTableReference("AgentRun", module_path="app.runs.tables"),
        null=False,
        on_delete=OnDelete.cascade,
        on_update=OnUpdate.no_action,
        index=True,
    )
    session_id = Text(index=True)
    span = EnumColumn("budget_span", default="run")
    measure = EnumColumn("budget_measure", default="tokens")
    #: The limit and what was used, in turns, minutes, tokens or USD.
    most = Numeric(MONEY, default=None)
    used = Numeric(MONEY, default=None)
    #: The server's local day on which it was noticed.
    day = Date(default=None)
    #: What is said of it, as a sentence.
    line = Text()
    status = EnumColumn("budget_status", default="open", index=True)
    asked_at = Timestamptz(default=TimestamptzNow())
    answered_at = Timestamptz(null=True, default=None)
    answered_by = Text(null=True, default=None)
    #: The limit that a person put in its place.
    raised_to = Numeric(MONEY, null=True, default=None)
    #: Why a question was taken back.
    note = Text(null=True, default=None)


class ModelPrice(Table, tablename="model_prices"):
    """What a million tokens of the models that a pattern names cost, in USD."""

    id = Id()
    #: A model's name, in which a star stands for anything.
    pattern = Text(unique=True)
    input = Numeric((12, 6), default=None)
    output = Numeric((12, 6), default=None)
    #: Null: as other input.
    cache_read = Numeric((12, 6), null=True, default=None)
    cache_write = Numeric((12, 6), null=True, default=None)
    updated_at = Timestamptz(default=TimestamptzNow())
    updated_by = Text()
