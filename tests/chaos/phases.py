"""What is going on at a moment, so that a kill can be aimed at it and counted."""

import asyncpg

#: What kills are aimed at in turn; the last is any moment at all. Merges come first in each half: the work has just
#: come to rest then, so there is something to decide on.
AIMS = (
    "merging", "removing", "running", "step add", "ending",
    "advancing", "undoing", "step init", "starting", "any",
)  # fmt: skip

_QUERY = """
SELECT 'queued' FROM tasks WHERE "column" = 'in_progress' AND agent_id IS NULL
UNION SELECT status::text FROM agent_runs WHERE completed_at IS NULL
UNION SELECT 'ending' FROM agent_runs WHERE completed_at IS NULL AND EXISTS (
  SELECT 1 FROM events WHERE session_id = agent_runs.session_id AND subject = agent_runs.id AND kind = 'message'
  AND payload ->> 'text' LIKE '%-3.txt')
UNION SELECT status::text FROM worktrees WHERE status IN ('merging', 'removing')
UNION SELECT 'step ' || name FROM worktree_steps WHERE status = 'running'
UNION SELECT CASE kind WHEN 'undo' THEN 'undoing' ELSE status END FROM merges WHERE status IN ('prepared', 'advancing')
"""


async def phases(connection: asyncpg.Connection) -> frozenset[str]:
    """Everything that is going on now; `idle` when nothing is."""
    found = await connection.fetch(_QUERY)
    return frozenset(row[0] for row in found) or frozenset({"idle"})
