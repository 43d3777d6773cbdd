"""What a command needs around its own few lines: settings, a database, an event loop."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from app.postgres import opening
from app.settings import Settings, read_settings

Answer = TypeVar("Answer")


def complete(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run `work` on an event loop of its own, to its end."""
    return asyncio.run(work)


@asynccontextmanager
async def connected(data_dir: Path | None) -> AsyncIterator[Settings]:
    """The database of this data folder (or of DATABASE_URL), migrated and with the pool open.

    It joins the embedded server of a running AgentPane; where none runs it starts one and stops it after.
    """
    settings = read_settings(data_dir=data_dir)
    async with opening.database(settings.database_url, settings.data_dir / "postgres"):
        yield settings


@asynccontextmanager
async def serving(data_dir: Path | None) -> AsyncIterator[str]:
    """Only the address of that database: nothing is migrated and no pool is opened."""
    settings = read_settings(data_dir=data_dir)
    async with opening.server(settings.database_url, settings.data_dir / "postgres") as url:
        yield url
