"""How events look on the wire, and where a reader goes on."""

import pytest
from litestar.testing import RequestFactory

from app.errors import BadRequest
from app.events.stream import event_stream, frame, resume_after


def test_a_frame_has_its_number_its_kind_and_one_data_line_per_line() -> None:
    made = frame(7, "message", "<p>\n  two lines\r\n</p>")
    assert made.number == 7
    assert made.data == b"id: 7\nevent: message\ndata: <p>\ndata:   two lines\ndata: </p>\n\n"


def test_nothing_in_the_html_can_begin_another_event() -> None:
    made = frame(7, "message", "a\n\nid: 9\nevent: forged\rdata: x\x0bdata: y\u2028z")
    assert made.data.count(b"\n\n") == 1
    assert [line for line in made.data.decode().split("\n") if line] == [
        "id: 7", "event: message", "data: a", "data: ", "data: id: 9", "data: event: forged", "data: data: x",
        "data: data: y", "data: z",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "after", "expected"), [("", None, 0), ("", 5, 5), ("9", 5, 9), ("0", 5, 0), (" 12 ", 5, 12)]
)
def test_who_comes_back_goes_on_from_the_last_number_seen(header: str, after: int | None, expected: int) -> None:
    request = RequestFactory().get("/events", headers={"last-event-id": header} if header else None)
    assert resume_after(request, after) == expected


@pytest.mark.parametrize("header", ["x", "-1", "1.5", "9' OR 1"])
def test_a_number_that_is_none_is_refused(header: str) -> None:
    with pytest.raises(BadRequest):
        resume_after(RequestFactory().get("/events", headers={"last-event-id": header}), None)


def test_a_stream_is_kept_by_nobody_on_its_way() -> None:
    async def nothing():
        yield b""

    reply = event_stream(nothing())
    assert reply.media_type == "text/event-stream"
    assert (reply.headers["cache-control"], reply.headers["x-accel-buffering"]) == ("no-store", "no")
