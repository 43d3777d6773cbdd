"""The record of a session in pages and with filters, and taken away as a whole."""

import json
import re

import pytest

from app.accounts.people import Person
from app.events.reading import of_session
from app.projects.rows import ProjectRow
from app.runners.base import Message, Notice, TextDelta, ToolFinished, ToolStarted
from app.runs.claiming import Claim
from app.sessions import record
from app.sessions.queries import session_page
from app.sessions.rows import get_session
from tests.visitor import Visitor
from tests.work import begin, end, say

MARA = Person("p1mara", "Mara")


@pytest.fixture
async def claim(project: ProjectRow) -> Claim:
    """A run that said 30 things: each time a message, a call that failed, and an error."""
    claim = await begin(project.id, "Count the spokes")
    for n in range(10):
        await say(
            claim,
            Message(message_id=f"m{n}", text=f"Message {n}", turn=n + 1),
            ToolStarted(call_id=f"c{n}", tool="Bash", input={"command": f"echo {n}"}, turn=n + 1),
            ToolFinished(call_id=f"c{n}", status="error", error=f"Result {n}", duration_ms=n),
            Notice(text=f"Error {n}", level="error"),
        )
    return claim


def numbers(page: str) -> list[int]:
    """The events that a page shows."""
    return [int(number) for number in re.findall(r'data-event-seq="(\d+)"', page)]


async def test_the_newest_page_and_the_pages_before_it_meet(
    visitor: Visitor, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "PAGE", 7)
    shown = [e.number for e in await of_session(claim.session_id, 0) if e.kind != "tool_result"]
    here = f"/sessions/{claim.session_id}"
    page = await visitor.page(here)
    collected = numbers(page)
    assert len(collected) == 7
    assert f"Show {len(shown) - 7} earlier events" in page
    while link := re.search(r'href="(\?before=\d+)"', page):
        page = await visitor.page(here + link[1])
        collected = numbers(page) + collected
        assert "/events?after=" not in page
    assert collected == shown
    onward = await visitor.page(f"{here}?after={shown[3]}")
    assert numbers(onward) == shown[4:11]
    assert f"Show {len(shown) - 11} later events" in onward


@pytest.mark.parametrize(
    ("show", "kinds"), [("messages", {"message"}), ("tools", {"tool_call"}), ("errors", {"error"})]
)
async def test_a_filter_shows_one_kind_with_its_count(
    visitor: Visitor, claim: Claim, show: str, kinds: set[str]
) -> None:
    page = await visitor.page(f"/sessions/{claim.session_id}?show={show}")
    assert numbers(page) == [e.number for e in await of_session(claim.session_id, 0) if e.kind in kinds]
    assert re.search(
        rf'href="[^"]*\?show={show}" aria-current="true">{show.capitalize()} <span class="count">10<', page
    )


@pytest.mark.parametrize("query", ["before=x", "after=-1", "show=everything"])
async def test_a_page_that_cannot_be_is_refused(visitor: Visitor, claim: Claim, query: str) -> None:
    assert (await visitor.get(f"/sessions/{claim.session_id}?{query}")).status_code == 400


async def test_pieces_of_a_message_take_no_place_of_what_was_said_before(claim: Claim, monkeypatch) -> None:
    monkeypatch.setattr(record, "PAGE", 5)
    for n in range(20):
        await say(claim, TextDelta(message_id="long", text=f"piece {n} "))
    page = await session_page(await get_session(claim.session_id), MARA)
    assert len(page.events) == 5
    (draft,) = page.drafts
    assert "piece 0 piece 1" in draft.html
    assert "piece 19" in draft.html


async def test_the_export_is_the_stored_events_and_nothing_else(visitor: Visitor, claim: Claim) -> None:
    await say(claim, TextDelta(message_id="open", text="not yet said"))
    answer = await visitor.get(f"/sessions/{claim.session_id}/export.jsonl")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    stored = [event for event in await of_session(claim.session_id, 0) if not event.payload.get("partial")]
    assert [(line["number"], line["kind"], line["actor"], line["actor_kind"], line["payload"]) for line in lines] == [
        (event.number, event.kind, event.actor, event.actor_kind, event.payload) for event in stored
    ]
    assert [line["at"] for line in lines] == [event.at.isoformat().replace("+00:00", "Z") for event in stored]
    assert answer.headers["content-type"].startswith("application/jsonl")
    assert f'filename="session-{claim.session_id}.jsonl"' in answer.headers["content-disposition"]


async def test_the_export_to_read_has_everything_that_was_said_and_done(visitor: Visitor, claim: Claim) -> None:
    await end(claim)
    text = (await visitor.get(f"/sessions/{claim.session_id}/export.md")).text
    assert text.startswith("# Count the spokes\n")
    for n in range(10):
        assert f"Message {n}\n" in text
        assert f'"command": "echo {n}"' in text
        assert f"Result {n}\n" in text
        assert f"Error {n}\n" in text
    assert text.index("Message 3\n") < text.index("echo 3") < text.index("Result 3\n") < text.index("Message 4\n")


async def test_nothing_in_the_record_closes_its_fence(visitor: Visitor, project: ProjectRow) -> None:
    claim = await begin(project.id, "# Fences")
    await say(
        claim,
        ToolStarted(call_id="1", tool="Ba`sh", input={"command": "x"}),
        ToolFinished(call_id="1", status="error", error="before\n````\n# not a heading\n`````\nafter"),
    )
    text = (await visitor.get(f"/sessions/{claim.session_id}/export.md")).text
    (fenced,) = re.findall(r"^(`{4,})\n(before\n.*?after)\n\1$", text, re.MULTILINE | re.DOTALL)
    assert len(fenced[0]) > 5


async def test_a_session_that_does_not_exist(visitor: Visitor, database: str) -> None:
    for path in ("", "/export.jsonl", "/export.md", "/events"):
        assert (await visitor.get(f"/sessions/a23456789012345678901234{path}")).status_code == 404
        assert (await visitor.get(f"/sessions/NO{path}")).status_code == 400


async def test_the_end_of_a_run_is_in_it(claim: Claim) -> None:
    await end(claim, "process_exit", "It \x1b[91mbroke\x1b[0m.")
    page = await session_page(await get_session(claim.session_id), MARA)
    assert page.events[-1].title == "Run 1 ended: It broke."
    assert (page.head.stage, page.head.run.status) == ("error", "error")
