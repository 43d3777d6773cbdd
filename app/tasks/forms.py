"""What people type about tasks, with the limits of the contract."""

from typing import Annotated

from msgspec import Meta, Struct

from app.tasks.rows import Column

Title = Annotated[str, Meta(min_length=1, max_length=200)]
Description = Annotated[str, Meta(max_length=5000)]
Label = Annotated[str, Meta(min_length=1, max_length=50)]
Tool = Annotated[str, Meta(min_length=1, max_length=200)]
Labels = Annotated[list[Label], Meta(max_length=10)]


class NewTask(Struct, frozen=True, kw_only=True):
    """The form 'Add a task'."""

    title: Title
    description: Description | None = None
    #: Comma separated in the form.
    labels: Labels = []
    #: The agent that shall do it; empty lets the first free one take it.
    agent_id: str | None = None
    #: Put it to work at once.
    start: bool = False


class TaskEdit(Struct, frozen=True, kw_only=True):
    """The form 'Edit task'."""

    title: Title
    description: Description | None = None
    labels: Labels = []
    agent_id: str | None = None
    #: For this task alone. Empty: as its agent says.
    max_turns: Annotated[int, Meta(ge=1, le=1000)] | None = None
    timeout_minutes: Annotated[int, Meta(ge=1, le=10_080)] | None = None
    model: Annotated[str, Meta(max_length=200)] = ""
    #: Comma separated in the form.
    allowed_tools: Annotated[tuple[Tool, ...], Meta(max_length=100)] = ()


class Move(Struct, frozen=True, kw_only=True):
    """The form 'Move to'; `position` counts from 0, none is the end of the column."""

    column: Column
    position: Annotated[int, Meta(ge=0)] | None = None


class Cancellation(Struct, frozen=True, kw_only=True):
    """The form 'Cancel the work'."""

    #: Delete the branch too; its commits stay reachable under `refs/agentpane/archive`.
    discard: bool = False
