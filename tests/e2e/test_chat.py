"""A chat with the real Claude Code, from the first message to a merged task; and a background agent over a restart."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext

from tests.e2e.person import Person
from tests.e2e.server import Server
from tests.git.repositories import user
from tests.scripted_model import ScriptedModel


@pytest.mark.parametrize("has_script", [True, False], ids=["with JavaScript", "without"])
async def test_a_chat_becomes_a_task(
    has_script: bool,
    serve: Callable[..., Awaitable[Server]],
    new_context: Callable[..., Awaitable[BrowserContext]],
    scripted_model: ScriptedModel,
    repository: Path,
    pictures: Path,
) -> None:
    server = await serve(**scripted_model.env)
    mara = await Person.before(await new_context(java_script_enabled=has_script), server.url, has_script)
    project = await mara.adds_project(repository)
    await mara.adds_agent(project, "polly", "claude", kind="conversational")
    page = mara.page

    # The first message opens the chat; the agent answers in a worktree of its own.
    await page.get_by_label("Begin a chat").fill("Write a greeting. SCENARIO:journey")
    await page.get_by_role("button", name="Send").click()
    await page.wait_for_url("**/sessions/*")
    await mara.sees('[data-run-status="completed"]')
    if not has_script:
        await page.reload()

    # The next one goes on in the same conversation.
    await page.get_by_label("Message to polly").fill("And again, please.")
    await page.locator(".composer__form button").click()
    await mara.sees("text=Run 2 ended")
    await page.reload()
    for width in (1440, 360):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.screenshot(path=pictures / f"chat-{width}-{has_script}.png")
    await page.set_viewport_size({"width": 1440, "height": 900})

    # Its changes become a task, which is reviewed and merged like any other.
    await page.locator("#hand-in summary").click()
    await page.locator("#hand-in").get_by_label("Title").fill("Greet the world")
    await page.get_by_role("button", name="Hand in for approval").click()
    await page.wait_for_url("**/tasks/*/review")
    task = page.url.split("/")[-2]
    await mara.approves(task, "Mara Lindqvist")
    await mara.sees('[data-stage="done"]')
    assert user(repository, "log", "-1", "--format=%s", "main") == "Greet the world"
    await mara.open(f"/projects/{project}/agents")
    await page.screenshot(path=pictures / f"chat-agents-{has_script}.png")


async def test_a_background_agent_goes_on_after_a_restart(
    serve: Callable[..., Awaitable[Server]],
    new_context: Callable[..., Awaitable[BrowserContext]],
    repository: Path,
    tmp_path: Path,
    pictures: Path,
) -> None:
    script = tmp_path / "watch.sh"
    script.write_text("echo watching; echo x >> started; exec tail -f /dev/null")
    server = await serve()
    mara = await Person.before(await new_context(), server.url)
    project = await mara.adds_project(repository)
    await mara.adds_agent(project, "watcher", "command", f"sh {script}", kind="background")
    agent = mara.page.url
    await mara.page.get_by_role("button", name="Start", exact=True).click()
    await _starts(repository, 1)
    await server.kill()
    await server.start()
    await _starts(repository, 2)
    path, mara.url = agent.removeprefix(mara.url), server.url
    await mara.open(path)
    await mara.sees('[data-agent-status="running"]')
    for width in (1440, 360):
        await mara.page.set_viewport_size({"width": width, "height": 900})
        await mara.page.screenshot(path=pictures / f"background-{width}.png", full_page=True)
    await mara.page.get_by_role("button", name="Stop").first.click()
    await mara.sees('[data-agent-status="completed"]')


async def _starts(repository: Path, times: int) -> None:
    """Once the agent has been started so often."""
    async with asyncio.timeout(40):
        while True:
            written = [file.read_text() for file in (repository / ".worktrees").glob("*/started")]
            if written and written[0].count("x") == times:
                return
            await asyncio.sleep(0.05)
