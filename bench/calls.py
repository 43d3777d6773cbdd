"""An audit log as months of work leave it: tool calls with their chain, written in bulk with hashes that fit."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from app.audit.chain import moment
from app.audit.offline_verify import GENESIS, Entry, entry_hash, sha256
from app.ids import create_id

_TOOLS = ("Bash", "Read", "Edit", "Grep", "Glob", "Write", "WebFetch")
_SHARES = (30, 40, 15, 10, 3, 5, 1)
_CALLS = ("id", "agent_id", "agent_run_id", "project_id", "tool", "status", "input", "output", "error", "duration",
          "turn_number", "timestamp")  # fmt: skip
_ENTRIES = (
    "project_id",
    "number",
    "kind",
    "subject_id",
    "actor_kind",
    "actor",
    "at",
    "content",
    "previous_hash",
    "hash",
)
#: Rows that are copied at a time.
_BATCH = 2_000


async def fill_calls(connection: asyncpg.Connection, project_id: str, calls: int) -> None:
    """Write `calls` tool calls of one agent, with inputs and outputs of about a kilobyte, and their chain."""
    agent_id, run_id = create_id(), create_id()
    await connection.execute(
        "INSERT INTO agents (id, project_id, name) VALUES ($1, $2, 'opus-1')", agent_id, project_id
    )
    await connection.execute(
        "INSERT INTO agent_runs (id, agent_id, project_id, status, prompt, started_at, completed_at, duration)"
        " VALUES ($1, $2, $3, 'completed', 'Do it.', now(), now(), 1)",
        run_id, agent_id, project_id,
    )  # fmt: skip
    chain, rows = _Chain(project_id), list[tuple[Any, ...]]()
    for row in _rows(project_id, agent_id, run_id, calls):
        rows.append(row)
        chain.add_call(row)
        if len(rows) >= _BATCH:
            await _copy(connection, rows, chain)
    await _copy(connection, rows, chain)
    await connection.execute("VACUUM ANALYZE audit_logs")
    await connection.execute("VACUUM ANALYZE audit_chain")


def _rows(project_id: str, agent_id: str, run_id: str, calls: int) -> Iterator[tuple[Any, ...]]:
    chance, at = random.Random(7), datetime.now(UTC) - timedelta(seconds=40 * calls)
    for number in range(calls):
        at += timedelta(seconds=40, microseconds=chance.randrange(1_000_000) - 500_000)
        tool, failed = chance.choices(_TOOLS, _SHARES)[0], chance.random() < 0.06
        took = (
            '{"command": "pytest tests/part-%d -q -x"}' if tool == "Bash" else '{"file_path": "src/app/module_%d.py"}'
        )
        gave = json.dumps({"stdout": f"line of output {number}\n" * chance.randrange(1, 80)})
        yield (
            create_id(), agent_id, run_id, project_id, tool, "error" if failed else "complete", took % number,
            None if failed else gave, "Exit code 1" if failed else None, int(chance.expovariate(1 / 3000)), number % 40,
            at,
        )  # fmt: skip


class _Chain:
    def __init__(self, project_id: str) -> None:
        self._project_id = project_id
        self._last = GENESIS
        self._number = 0
        self.entries: list[tuple[Any, ...]] = []
        self._add("begin", project_id, {"calls_before": 0}, datetime.now(UTC) - timedelta(days=999))

    def add_call(self, row: tuple[Any, ...]) -> None:
        """The entries of a call's beginning and end."""
        id, agent, run, _, tool, status, took, gave, error, duration, turn, at = row
        began = {"agent": agent, "run": run, "tool": tool, "turn": turn, "at": moment(at), "input": sha256(took)}
        self._add("tool_call", id, began, at)
        output, failure = (None if text is None else sha256(text) for text in (gave, error))
        self._add("tool_result", id, {"status": status, "output": output, "error": failure, "duration": duration}, at)

    def _add(self, kind: str, subject: str, content: dict[str, Any], at: datetime) -> None:
        self._number += 1
        text = json.dumps(content)
        entry = Entry(self._project_id, self._number, kind, subject, moment(at), "agent", "opus-1", text, self._last)
        before, self._last = self._last, entry_hash(entry)
        self.entries.append(
            (self._project_id, self._number, kind, subject, "agent", "opus-1", at, text, before, self._last)
        )


async def _copy(connection: asyncpg.Connection, rows: list[tuple[Any, ...]], chain: _Chain) -> None:
    await connection.copy_records_to_table("audit_logs", records=rows, columns=_CALLS)
    await connection.copy_records_to_table("audit_chain", records=chain.entries, columns=_ENTRIES)
    rows.clear()
    chain.entries.clear()
