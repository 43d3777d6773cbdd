"""The lock of a project: the first statement wherever positions or agents change hands, or something is recorded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.errors import NotFound
from app.events.recording import feed
from app.postgres.pool import engine
from app.postgres.reading import scalar


@asynccontextmanager
async def locked(project_id: str) -> AsyncIterator[None]:
    """A transaction that holds the project's row; events may be recorded in it. `PROJECT_NOT_FOUND` when there is none.

    `FOR NO KEY UPDATE` and not `FOR UPDATE`: inserting a row that refers to the project takes a share of its key,
    and two inserters that both wanted more would wait for each other.
    """
    async with engine().transaction():
        if await scalar("SELECT 1 FROM projects WHERE id = $1 FOR NO KEY UPDATE", project_id) is None:
            raise NotFound("There is no such project.", "PROJECT_NOT_FOUND")
        with feed(project_id):
            yield
