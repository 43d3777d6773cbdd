"""The place of a page in its address."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from litestar.testing import RequestFactory

from app.errors import BadRequest
from app.postgres.paging import Place
from app.web.paging import address, place_in


@pytest.mark.parametrize("is_after", [False, True])
def test_an_address_leads_back_to_its_place(is_after: bool) -> None:
    place = Place(datetime(2026, 11, 22, 23, 59, 59, 999999, tzinfo=UTC), "k7f2q9m3x8vapq21", is_after)
    written = address(place, tool="Bash(git log:*)&x", status="")
    assert dict(parse_qsl(written[1:]))["tool"] == "Bash(git log:*)&x"
    assert "status" not in written
    request = RequestFactory().get("/list", query_params=dict(parse_qsl(written[1:])))
    assert place_in(request) == place


def test_no_place_has_no_address() -> None:
    assert address(None, tool="Bash") == ""
    assert place_in(RequestFactory().get("/list")) is None


@pytest.mark.parametrize("written", ["1", "-", "x-y", "1-", "99999999999999999-a", "1-A", "1-a'; --", "²-a"])
def test_a_place_that_cannot_be_read_is_refused(written: str) -> None:
    with pytest.raises(BadRequest):
        place_in(RequestFactory().get("/list", query_params={"before": written}))
