"""What the audit log shows."""

from datetime import datetime

from msgspec import Struct


class AuditRow(Struct, frozen=True, kw_only=True):
    """One tool call. `status` is a `tool_status`, `argument` the main part of its input, `duration` in milliseconds.

    `refused` when the tool was not allowed and so never ran.
    """

    id: str
    timestamp: datetime
    tool: str
    status: str
    argument: str = ""
    agent_id: str = ""
    agent_name: str = ""
    task_id: str = ""
    task_title: str = ""
    turn_number: int = 0
    duration: int | None = None
    refused: bool = False


class AuditList(Struct, frozen=True, kw_only=True):
    """A page of tool calls, newest first. `tool` and `status` are the filter, `tools` all that can be chosen."""

    project_id: str
    rows: tuple[AuditRow, ...]
    total: int
    tools: tuple[str, ...] = ()
    tool: str = ""
    status: str = ""
    newer: str = ""
    older: str = ""


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


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One tool call in full: `input` as indented JSON, `output` and `error` as text, each with its size in bytes."""

    row: AuditRow
    input: str
    input_size: int
    output: str = ""
    output_size: int = 0
    error: str = ""
    run_id: str = ""
    session_id: str = ""
