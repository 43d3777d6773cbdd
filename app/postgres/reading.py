"""Plain SQL in, frozen structs out: the one way read models and set-based updates reach the database.

Placeholders are PostgreSQL's own (`$1`). Inside `DB.transaction()` the statement runs in that transaction.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

import msgspec
from asyncpg import Connection

from app.postgres import pool

T = TypeVar("T", bound=msgspec.Struct)


async def rows(type_: type[T], sql: str, *args: Any) -> list[T]:
    """Every row as a `type_`; columns are matched by name, JSON columns are decoded."""
    async with connection() as held:
        return [to_struct(type_, record) for record in await held.fetch(sql, *args)]


async def one(type_: type[T], sql: str, *args: Any) -> T | None:
    """The first row as a `type_`, or None."""
    async with connection() as held:
        record = await held.fetchrow(sql, *args)
    return None if record is None else to_struct(type_, record)


async def scalar(sql: str, *args: Any) -> Any:
    """The first column of the first row, or None."""
    async with connection() as held:
        return await held.fetchval(sql, *args)


async def execute(sql: str, *args: Any) -> int:
    """Run a statement; how many rows it touched."""
    async with connection() as held:
        status = await held.execute(sql, *args)
    return int(status.rpartition(" ")[2] or 0) if status[-1:].isdigit() else 0


@asynccontextmanager
async def connection() -> AsyncIterator[Connection]:
    """The connection of the open transaction, else one of the pool."""
    engine: Any = pool.engine()
    transaction = engine.current_transaction.get()
    if transaction is not None:
        yield transaction.connection
    else:
        async with engine.pool.acquire() as held:
            yield held


def to_struct(type_: type[T], record: Any) -> T:
    """One row as a `type_`; JSONB, which arrives as text, is decoded where the field is not text."""
    values = dict(record)
    for name in _json_fields(type_):
        if isinstance(values.get(name), str):
            values[name] = msgspec.json.decode(values[name])
    return msgspec.convert(values, type_)


@cache
def _json_fields(type_: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(type_) if _is_document(field.type))


def _is_document(annotation: Any) -> bool:
    parts = get_args(annotation) if get_origin(annotation) not in (dict, list, tuple) else (annotation,)
    return any(
        get_origin(part) in (dict, list, tuple)
        or part in (dict, list, tuple)
        or (isinstance(part, type) and issubclass(part, msgspec.Struct))
        for part in parts or (annotation,)
    )
