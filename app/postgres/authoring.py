"""Writes the next migration from what changed in the tables: work for a checkout, not for an installation."""

import re
from pathlib import Path

from piccolo.apps.migrations.commands.new import AutoMigrationManager, NoChanges, _create_new_migration
from piccolo.conf.apps import AppConfig

from app.postgres.errors import PostgresError
from app.postgres.migrations import quietly


async def write_migration(app: AppConfig, description: str) -> Path | None:
    """The new file in `app`'s folder, numbered and named by `description`; None when nothing changed."""
    folder = Path(app.resolved_migrations_folder_path)
    if folder.parent.name == "_data":
        raise PostgresError("Migrations are written in a checkout of AgentPane, and this is an installed copy.")
    number = len(list(folder.glob(f"{app.app_name}_[0-9]*.py"))) + 1
    try:
        written = await _create_new_migration(app_config=app, auto=True, description=description)
    except NoChanges:
        return None
    slug = re.sub(r"[^a-z0-9]+", "_", description.lower()).strip("_") or "change"
    return Path(written.migration_path).rename(folder / f"{app.app_name}_{number:04}_{slug}.py")


async def unwritten_changes(app: AppConfig) -> list[str]:
    """What a new migration would say: empty when migrations and tables agree."""
    with quietly():
        changes = await AutoMigrationManager(auto_input="n").get_alter_statements(app_config=app)
    return [f"no migration yet: {' '.join(statement.split())}" for change in changes for statement in change.statements]
