"""Column kinds that Piccolo lacks. Migrations import them from here, so this module keeps its name for ever."""

from typing import Any

from piccolo.columns import Varchar


class EnumColumn(Varchar):
    """A native PostgreSQL enum type. `CREATE TYPE` belongs into the migration that adds the column."""

    def __init__(self, enum_type: str, default: str | None = None, **kwargs: Any) -> None:
        self.enum_type = enum_type
        super().__init__(default=default, **kwargs)
        self._meta.params["enum_type"] = enum_type
        self._meta.params.pop("length", None)

    @property
    def column_type(self) -> str:
        return self.enum_type
