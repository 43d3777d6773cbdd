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


async def make_room(project_id: str, column: Column, wanted: int | None) -> int:
    """Open a gap at `wanted` (None: at the end) for a card that comes from elsewhere, and return its number."""
    size = await _size(project_id, column)
    position = size if wanted is None else max(0, min(wanted, size))
    await execute(
        'UPDATE tasks SET position = position + 1 WHERE project_id = $1 AND "column" = $2 AND position >= $3',
        project_id,
        column,
        position,
    )
    return position


async def step_aside(project_id: str, column: Column, position: int, wanted: int) -> int:
    """Let only the cards between `position` and `wanted` of one column step aside; the number that is free then."""
    free = max(0, min(wanted, await _size(project_id, column) - 1))
    first, last, step = (position + 1, free, -1) if free > position else (free, position - 1, 1)
    await execute(
        'UPDATE tasks SET position = position + $5 WHERE project_id = $1 AND "column" = $2'
        " AND position BETWEEN $3 AND $4",
        project_id,
        column,
        first,
        last,
        step,
    )
    return free


async def _size(project_id: str, column: Column) -> int:
    return int(await scalar('SELECT count(*) FROM tasks WHERE project_id = $1 AND "column" = $2', project_id, column))
