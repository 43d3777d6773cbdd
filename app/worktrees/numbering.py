"""Give each worktree on disk a number of its own on this machine, and with it a range of ports."""

from app.postgres.reading import execute, scalar

_LOCK_NUMBER = 0x6167_6E75_6D62_6572  # "agnumber": any number that nobody else takes


async def give_number(worktree_id: str) -> None:
    """Give `worktree_id` the smallest number that no worktree of this server has, in the caller's transaction.

    Ports are shared by all projects while each project has its own lock: numbers are given one after the other.
    """
    await execute("SELECT pg_advisory_xact_lock($1)", _LOCK_NUMBER)
    free = await scalar(
        "SELECT min(n)::int FROM generate_series(1, (SELECT count(number) FROM worktree_details) + 1) n"
        " WHERE NOT EXISTS (SELECT 1 FROM worktree_details WHERE number = n)"
    )
    await execute(
        "INSERT INTO worktree_details (worktree_id, number) VALUES ($1, $2)"
        " ON CONFLICT (worktree_id) DO UPDATE SET number = $2",
        worktree_id,
        free,
    )


async def free_number(worktree_id: str) -> None:
    """Let the next worktree have the number of one that is removed, in the caller's transaction."""
    await execute("UPDATE worktree_details SET number = NULL WHERE worktree_id = $1", worktree_id)
