"""From the commit of an event to the changed card in a real Chromium, against the barest page with an event stream."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from playwright.async_api import Browser, Page

from app.board.cards import render_card
from app.board.queries import cards_about
from app.tasks.editing import edit_task
from app.tasks.forms import TaskEdit
from app.tasks.rows import TaskRow, tasks_of
from app.web.fragments import finish
from bench.filling import SOMEBODY
from bench.harness import ROUNDS, Place, a_board, a_chromium, median, percentile, ratio
from bench.report import Line, measure

EVENTS = 8
#: Seconds between events, in which the browser paints: a page that is still painting sees the next one late.
_PAUSE_S = 0.25
#: Notes when the card's title first read so, in milliseconds of the wall clock.
WATCH = """selector => {
  const seen = window.seen = {};
  const now = () => performance.timeOrigin + performance.now();
  const look = () => { seen[document.querySelector(selector)?.textContent.trim()] ??= now(); };
  new MutationObserver(look).observe(document.documentElement, {subtree: true, childList: true, characterData: true});
  look();
}"""
AWAIT = """title => new Promise(resolve => {
  const look = () => window.seen[title] ? resolve(window.seen[title]) : requestAnimationFrame(look);
  look();
})"""
BARE = """<!doctype html><title>bare</title><div id="cards"></div><script>
new EventSource("/events").onmessage = message => { document.getElementById("cards").innerHTML = message.data; };
</script>"""

Speak = Callable[[str], Awaitable[float]]


async def main() -> Sequence[Line]:
    """Alternate the board and the bare page, both open in one Chromium."""
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(a_board())
        chromium = await stack.enter_async_context(a_chromium())
        task = (await tasks_of(place.project.id, "backlog"))[0]
        bare_url, say = await stack.enter_async_context(_bare_server(await _card(place, task)))
        title = f"#task-{task.id} .card__title"
        board, bare = await _open(chromium, place.url + place.board, title), await _open(chromium, bare_url, title)
        return await _compare(((board, _editor(task)), (bare, say)))


async def _compare(sides: tuple[tuple[Page, Speak], ...]) -> list[Line]:
    times: list[list[list[float]]] = [[] for _ in sides]
    for page, speak in sides:
        await _delay(page, speak, "Event to warm up.")
    for round_number in range(ROUNDS):
        for side, (page, speak) in enumerate(sides):
            times[side].append([await _delay(page, speak, f"Event {round_number}-{n}.") for n in range(EVENTS)])
    ours, bare = ([percentile(each, 0.5) for each in side] for side in times)
    worst = max(max(each) for each in times[0])
    return [
        Line("commit to the changed card in Chromium, board of 200 tasks, p50; a bare page with EventSource",
             f"{median(ours):.1f} ms", f"{median(bare):.1f} ms", ratio(ours, bare)),
        Line(f"the slowest of {ROUNDS * EVENTS}", f"{worst:.1f} ms"),
    ]  # fmt: skip


async def _delay(page: Page, speak: Speak, title: str) -> float:
    """Milliseconds from the event to the DOM, on a page at rest."""
    await asyncio.sleep(_PAUSE_S)
    said_at = await speak(title)
    async with asyncio.timeout(10):
        return float(await page.evaluate(AWAIT, title)) - said_at


async def _open(chromium: Browser, url: str, title: str) -> Page:
    page = await (await chromium.new_context()).new_page()
    await page.goto(url)
    await page.evaluate(WATCH, title)
    await asyncio.sleep(1)
    return page


def _editor(task: TaskRow) -> Speak:
    async def edit(title: str) -> float:
        await edit_task(task.id, TaskEdit(title=title, labels=["perf"]), SOMEBODY)
        return time.time() * 1000

    return edit


async def _card(place: Place, task: TaskRow) -> str:
    [card] = await cards_about(place.project.id, {task.id}, set(), False)
    return finish(render_card(card), "").replace(task.title, "{title}")


@asynccontextmanager
async def _bare_server(card: str) -> AsyncIterator[tuple[str, Speak]]:
    """A page and its event stream from a few lines of asyncio; what is said goes to whoever listens."""
    hearers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET /events"):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
            hearers.append(writer)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n" + BARE.encode())
            writer.close()

    async def say(title: str) -> float:
        for hearer in hearers:
            hearer.write(f"data: {card.replace('{title}', title)}\n\n".encode())
        return time.time() * 1000

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", say
    server.close()
    for hearer in hearers:
        hearer.close()


if __name__ == "__main__":
    measure("browser", main)
