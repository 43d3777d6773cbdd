"""What the list of sessions shows."""

from datetime import datetime

from msgspec import Struct


class SessionRow(Struct, frozen=True, kw_only=True):
    """One session. `title` is its own or its task's."""

    id: str
    title: str
    agent_name: str = ""
    task_id: str = ""
    is_active: bool = True
    message_count: int = 0
    tool_call_count: int = 0
    created_at: datetime
    updated_at: datetime


class SessionList(Struct, frozen=True, kw_only=True):
    """A page of sessions, the last changed first; `newer` and `older` are addresses, empty at the ends."""

    project_id: str
    sessions: tuple[SessionRow, ...]
    newer: str = ""
    older: str = ""
