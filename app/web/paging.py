"""The place of a page in its address: `?before=` and `?after=` name a row by its moment and id."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import Request

from app.errors import BadRequest
from app.postgres.paging import Place

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHAPE = re.compile(r"(\d{1,16})-([0-9a-z]{1,32})")


def place_in(request: Request[Any, Any, Any]) -> Place | None:
    """Where the page begins that the address asks for; `BAD_REQUEST` when that cannot be read."""
    for name in ("after", "before"):
        if written := request.query_params.get(name):
            return _read(written, is_after=name == "after")
    return None


def address(place: Place | None, **terms: str) -> str:
    """The address of the page at `place`, with the terms of the filter; empty for None."""
    if place is None:
        return ""
    kept = {name: value for name, value in terms.items() if value}
    microseconds = (place.at - _EPOCH) // timedelta(microseconds=1)
    return "?" + urlencode(kept | {"after" if place.is_after else "before": f"{microseconds}-{place.id}"})


def _read(written: str, is_after: bool) -> Place:
    found = _SHAPE.fullmatch(written)
    if found is None:
        raise BadRequest("This address names no place in the list.")
    return Place(_EPOCH + timedelta(microseconds=int(found[1])), found[2], is_after)
