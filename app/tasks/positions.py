"""Positions in a column: integers 0..n-1 without gaps, whoever moves what at the same moment.

Every function here runs inside `projects.locking.locked`; that lock is what keeps the numbers whole.
"""

from app.postgres.reading import execute, scalar
from app.tasks.rows import Column


async def take_out(project_id: str, column: Column, position: int) -> None:
    """Close the gap that a card leaves."""
    await execute(
        'UPDATE tasks SET position = position - 1 WHERE project_id = $1 AND "column" = $2 AND position > $3',
        project_id,
        column,
        position,
    )


async def make_room(project_id: str, column: Column, wanted: int | None, leaving: str | None = None) -> int:
    """Open a gap at `wanted` (None: at the end) and return its number; the card `leaving` does not count."""
    size = await scalar(
        'SELECT count(*) FROM tasks WHERE project_id = $1 AND "column" = $2 AND id IS DISTINCT FROM $3',
        project_id,
        column,
        leaving,
    )
    position = size if wanted is None else max(0, min(wanted, size))
    await execute(
        'UPDATE tasks SET position = position + 1 WHERE project_id = $1 AND "column" = $2 AND position >= $3'
        " AND id IS DISTINCT FROM $4",
        project_id,
        column,
        position,
        leaving,
    )
    return int(position)
