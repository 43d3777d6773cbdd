"""The rows of one transaction, with the worktrees and processes of the same moment."""

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
from msgspec import Struct

from app.audit.calls import digest
from app.git.checkouts import Checkout, checkouts
from app.processes import trees

#: A row of a table, by column.
Row = dict[str, Any]

#: Looks at most before the machine has to hold still between two of them.
_LOOKS = 200
_PAUSE_S = 0.02

_TABLES = {
    "projects": "SELECT id, path, max_concurrent_agents FROM projects ORDER BY id",
    "tasks": 'SELECT *, "column"::text AS col FROM tasks ORDER BY project_id, "column", position',
    "agents": "SELECT * FROM agents ORDER BY id",
    "runs": "SELECT r.*, d.number, d.work_saved FROM agent_runs r LEFT JOIN run_details d ON d.run_id = r.id"
    " ORDER BY r.started_at, d.number",
    "sessions": "SELECT * FROM sessions ORDER BY id",
    "standalone": "SELECT o.*, s.is_active, s.agent_id FROM standalone_sessions o"
    " JOIN sessions s ON s.id = o.session_id",
    "worktrees": "SELECT * FROM worktrees ORDER BY created_at",
    "calls": "SELECT id, agent_id AS agent, agent_run_id, agent_run_id AS run, tool, status::text AS status, duration,"
    f" turn_number, turn_number AS turn, timestamp, {digest('input::text')} AS input,"
    f" {digest('output::text')} AS output, {digest('error')} AS error FROM audit_logs",
    "chain": "SELECT * FROM audit_chain ORDER BY project_id, number, id",
    "noted": "SELECT project_id, (payload -> 'chain' ->> 'number')::bigint AS number, payload -> 'chain' ->> 'hash' AS"
    " hash FROM events WHERE kind = 'task.decided'",
}
_COUNTS = {
    "messages": "SELECT session_id AS key, count(*) AS n FROM events WHERE kind = 'message' AND session_id IS NOT NULL"
    " AND NOT coalesce((payload ->> 'partial')::boolean, false) GROUP BY 1",
    "rejections": "SELECT subject AS key, count(*) AS n FROM events WHERE kind = 'task.decided'"
    " AND payload ->> 'decision' IN ('rejected', 'conflict') GROUP BY 1",
}


class Facts(Struct, kw_only=True):
    """What the database says, and what the machine shows."""

    projects: list[Row]
    tasks: list[Row]
    agents: list[Row]
    runs: list[Row]
    sessions: list[Row]
    standalone: list[Row]
    worktrees: list[Row]
    #: Tool calls, with digests of what they took and gave.
    calls: list[Row]
    chain: list[Row]
    #: Heads of the chain as the events of decisions have them.
    noted: list[Row]
    #: Whole messages by session, and rejections by task, counted in the log.
    messages: Counter[str]
    rejections: Counter[str]
    #: The working copies of each project's repository, by project; none where there is no repository.
    copies: dict[str, list[Checkout]]
    #: Folders of worktree rows that are on disk.
    folders: set[str]
    #: Living processes by the run that they are marked with.
    marked: dict[str, list[int]]

    def root(self, project: Row) -> Path:
        """The repository of a project."""
        return Path(project["path"])

    def by_id(self, table: str) -> dict[str, Row]:
        """The rows of a table by their id."""
        return {row["id"]: row for row in getattr(self, table)}


async def look(connection: asyncpg.Connection, *, at_rest: bool = False) -> Facts:
    """The facts of one moment: beside a server at work, looked for until nothing moves between two looks.

    `at_rest`: nothing moves, so that one look is enough.
    """
    for _ in range(_LOOKS):
        roots = {row["id"]: Path(row["path"]) for row in await connection.fetch("SELECT id, path FROM projects")}
        paths = [row["path"] for row in await connection.fetch("SELECT DISTINCT path FROM worktrees")]
        before = await _copies(roots), _folders(paths)
        marked = await asyncio.to_thread(trees.marked_runs)
        rows = await _rows(connection)
        after = before if at_rest else (await _copies(roots), _folders(paths))
        if before == after and set(roots) == {row["id"] for row in rows["projects"]}:
            alive = {run: [pid for pid in pids if trees.is_alive(pid, None)] for run, pids in marked.items()}
            return Facts(**rows, copies=after[0], folders=after[1], marked=alive)
        await asyncio.sleep(_PAUSE_S)
    raise AssertionError("the worktrees never held still")


async def _rows(connection: asyncpg.Connection) -> dict[str, Any]:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        tables: dict[str, Any] = {
            name: [dict(row) for row in await connection.fetch(query)] for name, query in _TABLES.items()
        }
        counts = {
            name: Counter({row["key"]: row["n"] for row in await connection.fetch(query)})
            for name, query in _COUNTS.items()
        }
    return tables | counts


async def _copies(roots: dict[str, Path]) -> dict[str, list[Checkout]]:
    return {
        project: await checkouts(root) if (root / ".git").exists() or (root / "HEAD").exists() else []
        for project, root in roots.items()
    }


def _folders(paths: list[str]) -> set[str]:
    return {path for path in paths if os.path.lexists(path)}
