"""Columns that Piccolo does not bring. Migrations import this module, so it keeps its name for ever."""

from collections.abc import Callable
from typing import Any

from piccolo.columns import Text, Varchar

from app.ids import create_id


class Id(Text):
    """A primary key made by the application, with no default in the database: `id = Id()`.

    Piccolo calls a default that is a function once, while it makes the table, and makes the answer the default in the
    database for ever: the first raw insert without an id would take it and the second collide. This column leaves
    the default out. (Of a plain `Text(primary_key=True, default=create_id)` a later migration has to say
    `ALTER TABLE … ALTER COLUMN id DROP DEFAULT`.)
    """

    def __init__(self, default: Callable[[], str] = create_id, primary_key: bool = True, **kwargs: Any) -> None:
        super().__init__(default=default, primary_key=primary_key, **kwargs)

    @property
    def column_type(self) -> str:
        return "TEXT"

    @property
    def ddl(self) -> str:
        return super().ddl.rsplit(" DEFAULT ", 1)[0]


class EnumColumn(Varchar):
    """A column of a native PostgreSQL enum type; values are its labels as plain text.

    `EnumColumn("task_column", default="backlog")`. The migration that adds the first column of a type makes the type
    itself, in the same file (raw statements run before tables are made):
    `await Table.raw("CREATE TYPE task_column AS ENUM ('backlog', …)")` inside `manager.add_raw`. A new label is a
    migration of its own with `ALTER TYPE … ADD VALUE`. Compare with `==` and `is_in`; `LIKE` is not for enums.
    PostgreSQL refuses any other value with `asyncpg.InvalidTextRepresentationError`.
    """

    def __init__(self, enum_type: str, default: str | None = None, **kwargs: Any) -> None:
        super().__init__(length=None, default=default, **kwargs)
        self.enum_type = enum_type
        # What a migration writes down to make this column again: it takes no length.
        del self._meta.params["length"]
        self._meta.params["enum_type"] = enum_type

    @property
    def column_type(self) -> str:
        return self.enum_type
