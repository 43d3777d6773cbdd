"""The audit log in a browser: a row opens where it stands, the chain is verified, and nothing of it is hard to read."""

import json
import shlex
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext

from tests.e2e.person import Person
from tests.e2e.server import Server

Serve = Callable[..., Awaitable[Server]]
#: The colours of the other scheme fade in.
COLOURS_HAVE_CHANGED = """
Promise.allSettled(
  document.getAnimations().filter((each) => each instanceof CSSTransition).map((each) => each.finished)
)
"""
NewContext = Callable[..., Awaitable[BrowserContext]]

LINES = [
    {"type": "system", "subtype": "init", "session_id": "n1", "model": "m"},
    {"type": "assistant", "message": {"id": "m1", "content": [
        {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "pytest <b>-q</b>"}}]}},
    {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "t1", "content": "14 passed"}]}},
]  # fmt: skip
PROGRAM = f"for line in {[json.dumps(line) for line in LINES]!r}: print(line, flush=True)"


async def test_a_row_opens_and_the_chain_is_verified(serve: Serve, new_context: NewContext, repository: Path) -> None:
    server = await serve()
    mara = await Person.before(await new_context(), server.url)
    project = await mara.adds_project(repository)
    await mara.adds_agent(project, "worker-1", "command", shlex.join([sys.executable, "-c", PROGRAM]))
    await mara.open(f"/projects/{project}")
    task = await mara.adds_task(project, "Count the spokes", "")
    await mara.starts(task)
    await mara.sees(f'[data-task-id="{task}"][data-stage="review"]')

    await mara.open(f"/projects/{project}/audit")
    row = mara.page.locator('details.row:has-text("pytest <b>-q</b>")')
    await row.locator("summary").click()
    await mara.sees('details.row[open] pre:has-text("14 passed")')
    await mara.page.click("text=Verify now")
    await mara.sees('#chain:has-text("The chain is whole: 3 entries.")')
    assert mara.page.url.endswith(f"/projects/{project}/audit")
    for width, scheme in ((1440, "light"), (1440, "dark"), (360, "light"), (360, "dark")):
        await mara.page.set_viewport_size({"width": width, "height": 800})
        await mara.page.emulate_media(color_scheme=scheme)
        await mara.page.evaluate(COLOURS_HAVE_CHANGED)
        found = await Axe().run(mara.page)
        assert found.violations_count == 0, found.generate_report()
        assert await mara.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
