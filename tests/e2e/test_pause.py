"""An agent is paused in the browser, its server is killed, and it goes on in the next one with a message."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from playwright.async_api import BrowserContext

from app.processes import trees
from tests.e2e.person import Person
from tests.e2e.server import Server
from tests.git.repositories import user
from tests.processes.outside import outside
from tests.scripted_model import ScriptedModel

COUNTS = "sh -c 'echo $$ > pid; while [ ! -e release ]; do sleep 0.05; done'"


async def test_a_paused_agent_outlives_a_killed_server(
    serve: Callable[..., Awaitable[Server]],
    new_context: Callable[..., Awaitable[BrowserContext]],
    scripted_model: ScriptedModel,
    repository: Path,
    pictures: Path,
) -> None:
    server = await serve(**scripted_model.env)
    mara = await Person.before(await new_context(), server.url)
    project = await mara.adds_project(repository)
    await mara.adds_agent(project, "worker-1", "claude")
    task = await mara.adds_task(project, "Greet", "SCENARIO:held")
    await mara.starts(task)
    worktree = await _holds(repository)

    # It is asked while a command runs, and comes when that has ended; the open page says so by itself.
    await mara.open(f"/tasks/{task}")
    await mara.page.locator('a[href^="/sessions/"]').first.click()
    await mara.page.locator("#session-head").get_by_role("button", name="Pause").click()
    await mara.sees('#session-head [data-stage="running"]:has-text("about to pause")')
    (worktree / "release").touch()
    await mara.sees('#session-head [data-stage="paused"]')
    await mara.sees("#composer button:has-text('Resume')")
    session = mara.page.url.partition("#")[0].removeprefix(server.url)
    for width in (1440, 360):
        await mara.page.set_viewport_size({"width": width, "height": 900})
        await mara.page.screenshot(path=pictures / f"paused-session-{width}.png")
        await mara.open(f"/projects/{project}")
        await mara.sees(f'[data-task-id="{task}"][data-stage="paused"]')
        await mara.page.screenshot(path=pictures / f"paused-board-{width}.png")
        await mara.open(session)

    await server.kill()
    await server.start()
    mara.url = server.url
    await mara.open(session)
    await mara.sees('#session-head [data-stage="paused"]')
    await mara.page.locator('#composer textarea[name="text"]').fill("And wave, please.")
    await mara.page.locator("#composer").get_by_role("button", name="Resume").click()
    await mara.sees('#session-head [data-stage="review"]')
    text = await mara.page.locator("#events").inner_text()
    for said in ("Run 1 rests", "Run 1 goes on", "And wave, please.", "All done: wrote hello.txt."):
        assert said in text
    assert "Run 2" not in text
    assert scripted_model.asked[-1].heard == "And wave, please."
    assert user(worktree, "show", "HEAD:hello.txt") == "hello from the scripted model"


async def test_a_command_that_stands_still_ends_with_its_killed_server(
    serve: Callable[..., Awaitable[Server]],
    new_context: Callable[..., Awaitable[BrowserContext]],
    repository: Path,
) -> None:
    server = await serve()
    mara = await Person.before(await new_context(), server.url)
    project = await mara.adds_project(repository)
    await mara.adds_agent(project, "worker-1", "command", COUNTS)
    task = await mara.adds_task(project, "Count", "Spokes.")
    await mara.starts(task)
    async with asyncio.timeout(40):
        while not (found := [file for file in (repository / ".worktrees").glob("*/pid") if file.stat().st_size]):
            await asyncio.sleep(0.05)
    pid = outside(int(found[0].read_text()), repository / ".worktrees")
    await mara.open(f"/tasks/{task}")
    await mara.page.get_by_role("button", name="Pause").first.click()
    await mara.open(f"/projects/{project}")
    await mara.sees(f'[data-task-id="{task}"][data-stage="paused"]')
    assert trees.stands_still(pid)
    assert trees.is_alive(pid, None)

    await server.kill()
    async with asyncio.timeout(10):
        while trees.is_alive(pid, None):
            await asyncio.sleep(0.05)
    await server.start()
    mara.url = server.url
    await mara.open(f"/projects/{project}")
    card = await mara.sees(f'[data-task-id="{task}"][data-stage="error"]')
    assert "interrupted" in await card.inner_text()


async def _holds(repository: Path) -> Path:
    """The worktree, once its agent is in the middle of its command."""
    async with asyncio.timeout(40):
        while not (found := list((repository / ".worktrees").glob("*/held"))):
            await asyncio.sleep(0.05)
    return found[0].parent
