"""Native enums and ids without a default, as tables, migrations and queries see them."""

from pathlib import Path

import asyncpg
import pytest
from piccolo.apps.migrations.commands.new import AutoMigrationManager, _create_new_migration
from piccolo.columns import ForeignKey, OnDelete, Text
from piccolo.table import Table

from app.ids import is_id
from app.piccolo_app import APP_CONFIG
from app.postgres import pool
from app.postgres.columns import EnumColumn, Id
from app.postgres.migrations import migrate
from tests.databases import ask


class Parcel(Table, tablename="parcel"):
    id = Id()
    state = EnumColumn("parcel_state", default="packed")
    fault = EnumColumn("parcel_state", null=True)
    note = Text()


class Label(Table, tablename="label"):
    id = Id()
    parcel = ForeignKey(Parcel, null=False, on_delete=OnDelete.restrict)


@pytest.fixture
async def parcels(empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database made by the migration that Piccolo writes for these tables, with CREATE TYPE added by hand."""
    monkeypatch.setattr(APP_CONFIG, "migrations_folder_path", str(tmp_path))
    monkeypatch.setattr(APP_CONFIG, "table_classes", [Parcel, Label])
    written = Path((await _create_new_migration(APP_CONFIG, auto=True)).migration_path)
    source = written.read_text()
    made = source.replace(
        "    return manager",
        "    async def make_type():\n"
        "        await Table.raw(\"CREATE TYPE parcel_state AS ENUM ('packed', 'sent', 'lost')\")\n\n"
        "    manager.add_raw(make_type)\n    return manager",
    ).replace("\nID =", "\nfrom piccolo.table import Table\n\nID =")
    written.write_text(made)
    await migrate(empty_database)
    await pool.connect(empty_database)
    return empty_database


async def test_migrations_write_the_columns_down_and_see_no_further_change(parcels: str) -> None:
    assert await AutoMigrationManager().get_alter_statements(app_config=APP_CONFIG) is not None
    changes = await AutoMigrationManager().get_alter_statements(app_config=APP_CONFIG)
    assert [statement for change in changes for statement in change.statements] == []
    column = "SELECT udt_name || ' ' || column_default FROM information_schema.columns WHERE column_name = 'state'"
    assert await ask(parcels, column) == "parcel_state 'packed'::parcel_state"


async def test_values_are_inserted_found_and_changed_as_text(parcels: str) -> None:
    first, second = Parcel(), Parcel(state="sent", fault="lost")
    await Parcel.insert(first, second)
    assert await Parcel.select(Parcel.state).where(Parcel.id == first.id) == [{"state": "packed"}]
    assert await Parcel.count().where(Parcel.state.is_in(["packed", "sent"])) == 2
    assert await Parcel.count().where(Parcel.fault.is_null()) == 1
    won = Parcel.update({Parcel.state: "sent"}).where((Parcel.id == first.id) & (Parcel.state == "packed"))
    assert await won.returning(Parcel.state) == [{"state": "sent"}]
    assert await won.returning(Parcel.state) == []
    loaded = await Parcel.objects().get(Parcel.id == second.id)
    assert loaded is not None
    assert (loaded.state, loaded.fault) == ("sent", "lost")


async def test_another_value_is_refused(parcels: str) -> None:
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await Parcel(state="stolen").save()
    await Parcel(note="kept").save()
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await Parcel.update({Parcel.state: "stolen"}, force=True)


async def test_ids_are_made_by_the_application_and_never_by_the_database(parcels: str) -> None:
    parcel = Parcel()
    await parcel.save()
    await Label(parcel=parcel.id).save()
    assert is_id(parcel.id)
    assert await ask(parcels, "SELECT data_type FROM information_schema.columns WHERE column_name = 'parcel'") == "text"
    with pytest.raises(asyncpg.NotNullViolationError):
        await ask(parcels, "INSERT INTO parcel (note) VALUES ('no id')")
