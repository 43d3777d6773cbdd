"""Pages of a long list, newest first: where a page begins is a moment and an id, so that new rows shift nothing."""

from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct

from app.postgres.reading import rows

T = TypeVar("T", bound=Struct)

#: Rows of a page.
PAGE = 50


class Place(Struct, frozen=True):
    """A row of the list, by its moment and id. A page lies before it, among the older ones, or after it."""

    at: datetime
    id: str
    is_after: bool = False


class Page(Struct, Generic[T], frozen=True):
    """Some rows, newest first, and the places where the next pages begin; None at the ends."""

    rows: list[T]
    newer: Place | None = None
    older: Place | None = None


async def page(
    type_: type[T], select: str, *args: Any, by: tuple[str, str], place: Place | None = None, size: int = PAGE
) -> Page[T]:
    """One page of what `select` gives, which ends in a WHERE clause with `args`.

    `by` names the columns of moment and id in the statement, `table.column`; `type_` has fields of those names.
    """
    after = place is not None and place.is_after
    beyond = f" AND ({by[0]}, {by[1]}) {'>' if after else '<'} (${len(args) + 1}, ${len(args) + 2})" if place else ""
    order = "ASC" if after else "DESC"
    found = await rows(
        type_,
        f"{select}{beyond} ORDER BY {by[0]} {order}, {by[1]} {order} LIMIT {size + 1}",
        *args,
        *((place.at, place.id) if place else ()),
    )
    if after and len(found) <= size:  # These are the newest: a full first page shows more of the list.
        return await page(type_, select, *args, by=by, size=size)
    more, found = len(found) > size, found[:size]
    if after:
        found.reverse()
    return Page(
        found,
        newer=_place(found[0], by, is_after=True) if found and place else None,
        older=_place(found[-1], by) if found and (more or after) else None,
    )


def _place(row: Struct, by: tuple[str, str], is_after: bool = False) -> Place:
    at, id = (getattr(row, column.rpartition(".")[2]) for column in by)
    return Place(at, id, is_after)
