"""Two people with a browser each: what one does, the other sees; what was missed comes after an outage."""

import shlex
from collections.abc import Awaitable, Callable
from itertools import product
from pathlib import Path

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Page

from tests.e2e.line import Line
from tests.e2e.person import Person
from tests.e2e.server import Server
from tests.git.repositories import user

#: An agent that says something with HTML in it, changes a file, and ends.
AGENT = """echo '<img src=x onerror=alert(1)> **done**'; printf 'spokes = 12\\n' > src/wheel.py; date > '<b>new.txt'"""
HOSTILE = "Rename <script>alert(1)</script> & co"

Serve = Callable[..., Awaitable[Server]]
NewContext = Callable[..., Awaitable[BrowserContext]]


async def _board_with_agent(mara: Person, repository: Path) -> str:
    project = await mara.adds_project(repository)
    await mara.adds_agent(project, "worker-1", "command", shlex.join(["sh", "-c", AGENT]))
    await mara.open(f"/projects/{project}")
    return project


async def test_a_board_is_live_for_everybody(serve: Serve, new_context: NewContext, repository: Path) -> None:
    server = await serve()
    mara = await Person.before(await new_context(), server.url)
    project = await _board_with_agent(mara, repository)
    tomas = await Person.before(await new_context(), server.url)
    await mara.sees('[data-connection="live"]')

    task = await tomas.adds_task(project, HOSTILE, "")
    card = await mara.sees(f'[data-column="backlog"][data-task-id="{task}"]')
    assert HOSTILE in await card.inner_text()
    await tomas.starts(task)
    await mara.sees(f'#waiting_approval [data-task-id="{task}"][data-stage="review"]')
    await mara.sees('#attention-count:has-text("1")')


async def test_what_was_missed_comes_after_an_outage(serve: Serve, new_context: NewContext, repository: Path) -> None:
    server = await serve()
    line = await Line(server.url).start()
    mara = await Person.before(await new_context(), line.url)
    project = await _board_with_agent(mara, repository)
    await mara.sees('[data-connection="live"]')
    tomas = await Person.before(await new_context(), server.url)

    line.cut()
    await mara.sees('[data-connection="offline"]')
    first = await tomas.adds_task(project, "While she is away", "")
    second = await tomas.adds_task(project, "And another", "")
    assert await mara.page.locator(f'[data-task-id="{first}"]').count() == 0
    line.mend()
    await mara.sees(f'[data-task-id="{second}"][data-position="0"]')
    await mara.sees(f'[data-task-id="{first}"][data-position="1"]')
    await mara.sees('[data-connection="live"]')


async def test_people_see_who_watches_a_session(serve: Serve, new_context: NewContext, repository: Path) -> None:
    server = await serve()
    maras = await new_context()
    mara = await Person.before(maras, server.url)
    project = await _board_with_agent(mara, repository)
    task = await mara.adds_task(project, "To be watched", "")
    await mara.starts(task)
    await mara.sees(f'[data-task-id="{task}"][data-stage="review"]')
    session = await mara.page.locator(f'[data-task-id="{task}"] a[href^="/sessions/"]').first.get_attribute("href")
    await mara.open(session or "")
    await mara.sees('#presence .count:text-is("1")')
    # A second tab of the same person is nobody new; a second person is.
    tab = await Person.before(maras, server.url)
    await tab.open(session or "")
    await tab.sees('#presence .count:text-is("1")')
    tomas = await Person.before(await new_context(), server.url)
    await tomas.open(session or "")
    await tomas.sees('#presence .count:text-is("2")')
    await mara.sees('#presence .count:text-is("2")')


async def test_every_page_fits_and_can_be_used_by_everybody(
    serve: Serve, new_context: NewContext, repository: Path, pictures: Path
) -> None:
    server = await serve()
    mara = await Person.before(await new_context(), server.url)
    project = await _board_with_agent(mara, repository)
    task = await mara.adds_task(project, HOSTILE, "A **description** with `code`.\n\n- one\n- two")
    await mara.adds_task(project, "A second card, with a title that is long enough to need a second line on a card", "")
    await mara.starts(task)
    await mara.sees(f'[data-task-id="{task}"][data-stage="review"]')
    links = await mara.page.locator('a[href^="/sessions/"]').all()
    session = await links[0].get_attribute("href")
    pages = {
        "projects": "/",
        "board": f"/projects/{project}",
        "task": f"/tasks/{task}",
        "review": f"/tasks/{task}/review",
        "session": session,
        **{name: f"/projects/{project}/{name}" for name in ("agents", "runs", "sessions", "worktrees", "audit")},
        "settings": f"/projects/{project}/settings",
        "configuration": f"/projects/{project}/configuration",
        "prompt": f"/projects/{project}/prompts/rejection",
        "nothing": "/tasks/nothing",
        "patterns": "/dev/patterns",
    }
    for name, path in pages.items():
        await mara.open(path or "")
        for scheme, width in product(("light", "dark"), (360, 1440)):
            await mara.page.emulate_media(color_scheme=scheme)
            await mara.page.set_viewport_size({"width": width, "height": 800})
            await mara.page.screenshot(path=pictures / f"{name}-{width}-{scheme}.png")
            assert await _overflow(mara.page) <= 0, f"{name} scrolls sideways at {width}"
            found = await Axe().run(mara.page)
            assert found.violations_count == 0, f"{name} at {width} {scheme}:\n{found.generate_report()}"
    assert user(repository, "status", "--porcelain") == ""


async def _overflow(page: Page) -> int:
    return await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
