"""Count what an agent has done, task by task: what became of each is what became of its last run of it."""

from msgspec import Struct

from app.postgres.reading import one

#: Reasons to stop early that still hand in what was done.
HANDED_IN = ("turn_limit", "budget")


class _Count(Struct, frozen=True):
    total: int
    completed: int
    failed: int


async def tasks_of_agent(agent_id: str) -> dict[str, int]:
    """The columns `total_tasks`, `completed_tasks` and `failed_tasks` of an agent as they should be now."""
    count = await one(
        _Count,
        "SELECT count(*)::int AS total,"
        " count(*) FILTER (WHERE status = 'completed' OR error_type = ANY($2))::int AS completed,"
        " count(*) FILTER (WHERE status = 'error' AND NOT error_type = ANY($2))::int AS failed FROM ("
        "SELECT DISTINCT ON (coalesce(session_id, id)) status, error_type FROM agent_runs WHERE agent_id = $1"
        " ORDER BY coalesce(session_id, id), started_at DESC) AS last_runs",
        agent_id,
        list(HANDED_IN),
    )
    assert count is not None, "an aggregate always has a row"
    return {"total_tasks": count.total, "completed_tasks": count.completed, "failed_tasks": count.failed}
