"""`agentpane db check`: the live catalog beside the expectation that is kept with the migrations."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from app.cli.session import serving
from app.piccolo_app import APP_CONFIG
from app.postgres import catalog, migrations, opening
from app.postgres.authoring import unwritten_changes
from app.resources import resource_path


def expectation() -> Path:
    """The file with the catalog that the migrations of this version make."""
    return resource_path("piccolo_migrations") / "catalog.json"


async def check(data_dir: Path | None, *, fresh: bool, write: bool) -> list[str]:
    """Every difference in one line each. `fresh` also tells what the migrations do not say of the tables yet."""
    async with _fresh_database() if fresh else serving(data_dir) as url:
        found = await catalog.read(url)
    if write:
        expectation().write_text(json.dumps(found, indent=2) + "\n")
    unwritten = await unwritten_changes(APP_CONFIG) if fresh else []
    return catalog.differences(_expected(), found) + unwritten


def _expected() -> dict[str, str]:
    expected: dict[str, str] = json.loads(expectation().read_text())
    return expected


@asynccontextmanager
async def _fresh_database() -> AsyncIterator[str]:
    with TemporaryDirectory(prefix="agentpane-check-") as folder:
        async with opening.server("", Path(folder) / "postgres") as url:
            await migrations.migrate(url)
            yield url
