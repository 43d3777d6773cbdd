"""The next migration is written from what changed in the tables."""

from pathlib import Path

import pytest
from piccolo.columns import Text
from piccolo.conf.apps import AppConfig
from piccolo.table import Table

from app.postgres.authoring import unwritten_changes, write_migration
from app.postgres.columns import Id
from app.postgres.errors import PostgresError


class Crate(Table, tablename="crate_of_authoring_test"):
    id = Id()
    note = Text()


async def test_a_change_becomes_a_numbered_file_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = AppConfig("crates", migrations_folder_path=tmp_path, table_classes=[Crate])
    assert "Crate" in " ".join(await unwritten_changes(app))
    assert capsys.readouterr().out == ""
    assert await write_migration(app, "Store crates, at last") == tmp_path / "crates_0001_store_crates_at_last.py"
    assert await unwritten_changes(app) == []
    assert await write_migration(app, "Nothing new") is None


async def test_an_installed_copy_gets_no_migrations(tmp_path: Path) -> None:
    app = AppConfig("crates", migrations_folder_path=tmp_path / "_data" / "piccolo_migrations", table_classes=[Crate])
    with pytest.raises(PostgresError, match="installed copy"):
        await write_migration(app, "Store crates")
