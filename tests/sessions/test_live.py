"""A session page that is open: what comes through its stream, and where a reader that was away goes on."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from app.events.fanout import Fanout
from app.events.recording import CHANNEL
from app.postgres.listening import Listener
from app.processes.redacting import Redactor
from app.projects.rows import ProjectRow
from app.runners.base import Finished, Message, TextDelta, ToolFinished, ToolStarted
from app.runs.claiming import Claim
from app.runs.finishing import finish
from app.runs.recording import Recorder
from app.sessions import live
from app.sessions.live import last_in
from app.sessions.messaging import send
from tests.conftest import fresh_database
from tests.e2e.server import Server
from tests.git.repositories import make_repository
from tests.visitor import Visitor
from tests.work import begin
from tests.workshop import MARA

PATIENCE_S = 20.0


class Page:
    """A page with an event source: what stands in the record, what is being written, and every partial that came."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self.record: list[str] = []
        self.draft = ""
        self.partials: list[tuple[str, str]] = []
        self.numbers: list[int] = []

    async def until(self, is_there: Callable[["Page"], bool]) -> "Page":
        async with asyncio.timeout(PATIENCE_S):
            while not is_there(self):
                self._take((await anext(self._stream)).decode())
        return self

    def _take(self, chunk: str) -> None:
        for event in chunk.split("\n\n"):
            if number := re.search(r"^id: (\d+)$", event, re.MULTILINE):
                self.numbers.append(int(number[1]))
            html = "\n".join(line.removeprefix("data: ") for line in event.split("\n") if line.startswith("data: "))
            for target, swap, inner in re.findall(
                r'<hx-partial hx-target="([^"]*)" hx-swap="([^"]*)">(.*?)</hx-partial>', html, re.DOTALL
            ):
                self._swap(target, swap, re.sub(r"\s*<[^>]*>\s*", " ", inner).strip())

    def _swap(self, target: str, swap: str, text: str) -> None:
        self.partials.append((target, text))
        if (target, swap) == ("#events", "beforeend"):
            self.record.append(text)
        elif target == "#drafts":
            self.draft = text

    def last(self, target: str) -> str:
        """What stands in that place now."""
        return next((text for where, text in reversed(self.partials) if where == target), "")


@pytest.fixture
async def fanout(database: str) -> AsyncIterator[Fanout]:
    fanout = Fanout()
    fanout.start()
    listener = Listener(database, CHANNEL, fanout.on_payload, fanout.on_reconnect)
    await listener.start()
    yield fanout
    await fanout.stop()
    await listener.stop()


@pytest.fixture
async def claim(project: ProjectRow) -> Claim:
    """A run whose program is about to begin."""
    return await begin(project.id, "Count the spokes")


@pytest.fixture
def recorder(claim: Claim) -> Recorder:
    return Recorder(claim, "worker-1", Redactor({}))


async def test_a_message_grows_and_then_stands_in_the_record(fanout: Fanout, claim: Claim, recorder: Recorder) -> None:
    start = await last_in(claim.session_id)
    page = Page(fanout.follow(live.topic(claim.session_id), start))
    await recorder.write([TextDelta(message_id="m1", text="There are ")])
    await page.until(lambda page: "There are" in page.draft)
    await recorder.write([TextDelta(message_id="m1", text="eight spokes.")])
    await page.until(lambda page: "There are eight spokes." in page.draft)
    await recorder.write([Message(message_id="m1", text="There are eight spokes.", turn=1)])
    await page.until(lambda page: len(page.record) == 1)
    assert "There are eight spokes." in page.record[0]
    assert page.draft == ""
    assert page.numbers == sorted(set(page.numbers))


@pytest.mark.parametrize("seen", [0, 1, 2, 3])
async def test_who_comes_back_in_the_middle_of_a_message_ends_with_the_whole_of_it(
    fanout: Fanout, claim: Claim, recorder: Recorder, seen: int
) -> None:
    marks = [await last_in(claim.session_id)]
    for piece in ("One, ", "two, ", "three"):
        await recorder.write([TextDelta(message_id="m1", text=piece)])
        marks.append(await last_in(claim.session_id))
    # They were away while it was finished, and while the next one was begun.
    await recorder.write([Message(message_id="m1", text="One, two, three.", turn=1)])
    await recorder.write([TextDelta(message_id="m2", text="And four")])
    page = Page(fanout.follow(live.topic(claim.session_id), marks[seen]))
    await page.until(lambda page: "And four" in page.draft)
    assert len(page.record) == 1
    assert "One, two, three." in page.record[0]


async def test_what_a_stopped_run_was_saying_stands_in_the_record(
    fanout: Fanout, claim: Claim, recorder: Recorder
) -> None:
    page = Page(fanout.follow(live.topic(claim.session_id), await last_in(claim.session_id)))
    await recorder.write([TextDelta(message_id="m1", text="Half a sen")])
    await page.until(lambda page: page.draft != "")
    await finish(claim, recorder, Finished(error_type="stopped"))
    await page.until(lambda page: len(page.record) == 2)
    assert "Half a sen" in page.record[0]
    assert page.draft == ""


async def test_a_call_ends_in_its_place(fanout: Fanout, claim: Claim, recorder: Recorder) -> None:
    page = Page(fanout.follow(live.topic(claim.session_id), await last_in(claim.session_id)))
    await recorder.write([ToolStarted(call_id="c1", tool="Bash", input={"command": "make"}, turn=1)])
    await page.until(lambda page: len(page.record) == 1)
    await recorder.write([ToolFinished(call_id="c1", status="complete", output={"stdout": "built"}, duration_ms=5)])
    place = f"#tool-{claim.run_id[-6:]}-c1"
    await page.until(lambda page: "built" in page.last(place))


async def test_the_composer_follows_the_run_and_the_queue(fanout: Fanout, claim: Claim, recorder: Recorder) -> None:
    """Without it a page would offer to queue a message for a run that is over."""
    page = Page(fanout.follow(live.topic(claim.session_id), await last_in(claim.session_id)))
    await send(claim.session_id, "And the hub?", MARA)
    await page.until(lambda page: "And the hub?" in page.last("#composer"))
    assert "Queue" in page.last("#composer")
    await finish(claim, recorder, Finished(error_type="process_exit", error="It broke."))
    await page.until(lambda page: "Starts a follow-up run" in page.last("#composer"))
    assert "Error" in page.last("#session-head")


async def test_everybody_sees_who_came(fanout: Fanout, claim: Claim, visitor: Visitor) -> None:
    page = Page(fanout.follow(live.topic(claim.session_id), await last_in(claim.session_id)))
    await visitor.page(f"/sessions/{claim.session_id}")
    await page.until(lambda page: page.last("#presence") != "")
    assert "Watching 1" in page.last("#presence")


@pytest.fixture
async def server(database_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    """The whole program in a process of its own."""
    async with fresh_database(database_url) as url:
        server = await Server(tmp_path / "server", {"DATABASE_URL": url}).start()
        yield server
        assert await server.stop() == 0


async def next_event(lines: AsyncIterator[str]) -> dict[str, str]:
    """The fields of the next event that has a number."""
    fields: dict[str, str] = {}
    async with asyncio.timeout(PATIENCE_S):
        async for line in lines:
            name, _, value = line.partition(": ")
            if not line and "id" in fields:
                return fields
            fields = {} if not line else {**fields, name: fields.get(name, "") + value}
    raise AssertionError(f"the stream ended: {fields}")


class Site:
    """The server, as a browser meets it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.visitor = Visitor(client)

    async def project(self, path: Path) -> str:
        answer = await self.visitor.send("/", "/projects", path=str(path))
        return answer.headers["location"]

    async def task(self, board: str, title: str) -> str:
        """A new card in Backlog; its id."""
        await self.visitor.post(f"{board}/tasks", board, title=title)
        return re.findall(r'data-task-id="([^"]+)"', await self.visitor.page(board))[0]


@pytest.fixture
async def site(server: Server) -> AsyncIterator[Site]:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        yield Site(client)


async def test_a_stream_of_a_real_server_goes_on_from_the_last_number_seen(site: Site, tmp_path: Path) -> None:
    board = await site.project(make_repository(tmp_path / "wheels"))
    first = await site.task(board, "First")
    path = re.search(rf'"({board}/events\?after=\d+)"', await site.visitor.page(board))[1]
    async with site.client.stream("GET", path) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        assert stream.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in stream.headers
        lines = stream.aiter_lines()
        assert await asyncio.wait_for(anext(lines), PATIENCE_S) == "retry: 1000"
        second = await site.task(board, "Second")
        event = await next_event(lines)
        assert event["event"] == "board"
        assert second in event["data"]
        assert first not in event["data"]
    third = await site.task(board, "Third")
    # The browser comes back by itself and says what it saw, whatever the address says.
    async with site.client.stream("GET", path, headers={"last-event-id": event["id"]}) as stream:
        missed = await next_event(stream.aiter_lines())
        assert int(missed["id"]) > int(event["id"])
        assert third in missed["data"]
        assert f'data-task-id="{second}"' not in missed["data"]
    answer = await site.visitor.get(path, **{"last-event-id": "nonsense"})
    assert (answer.status_code, "BAD_REQUEST" in answer.text) == (400, True)


async def test_a_server_that_stops_ends_its_streams(site: Site, server: Server, tmp_path: Path) -> None:
    board = await site.project(make_repository(tmp_path / "wheels"))
    async with site.client.stream("GET", f"{board}/events") as stream:
        lines = stream.aiter_lines()
        await asyncio.wait_for(anext(lines), PATIENCE_S)
        assert await server.stop() == 0
        rest = [line async for line in lines]
        assert not [line for line in rest if line.startswith("event: error")]
    await server.start()
