"""`kill -9` of the server while an agent works: nothing of the run lives on, and nothing it did is lost."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from playwright.async_api import BrowserContext

from app.processes import trees
from tests.e2e.person import Person
from tests.e2e.server import Server
from tests.git.repositories import user
from tests.processes.outside import outside
from tests.scripted_model import ScriptedModel

#: Seconds within which no process of a run may be left.
GONE_S = 10.0


async def test_a_killed_server_leaves_no_process_and_loses_no_work(
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
    task = await mara.adds_task(project, "Never end", "SCENARIO:forever")
    await mara.starts(task)

    # The tool and its child, which has a session of its own, really run.
    said = await _pids(repository)
    tool, child = (outside(pid, repository / ".worktrees") for pid in said)
    ours = {pid for pid in (tool, child) if trees.is_alive(pid, None)}
    assert ours == {tool, child}
    marker = _marker_of(tool)
    assert set(trees.find_marked(marker)) >= ours

    # Without any new start, the guard of the run ends everything.
    await server.kill()
    async with asyncio.timeout(GONE_S):
        while trees.find_marked(marker) or trees.is_alive(tool, None) or trees.is_alive(child, None):
            await asyncio.sleep(0.05)

    # After the next start the pages say what happened and what can be done; the work is in the worktree.
    assert list((server.data_dir / "runs").iterdir())
    await server.start()
    assert not (server.data_dir / "runs").exists()
    mara.url = server.url
    await mara.open(f"/projects/{project}")
    card = await mara.sees(f'[data-task-id="{task}"][data-stage="error"]')
    assert "interrupted" in await card.inner_text()
    assert await card.locator('form[action$="/retry"] button').count() == 1
    await mara.page.screenshot(path=pictures / "interrupted-board.png")
    await mara.open(f"/tasks/{task}")
    await mara.sees('[data-run-status="error"]')
    await mara.sees('[data-error-code="interrupted"]')
    await mara.page.screenshot(path=pictures / "interrupted-task.png")
    worktree = next((repository / ".worktrees").iterdir())
    assert (worktree / "child.pid").read_text().strip() == str(said[1])
    assert user(worktree, "status", "--porcelain") == ""
    assert "child.pid" in user(worktree, "ls-tree", "--name-only", "HEAD")
    await mara.open("/")
    await mara.page.get_by_role("link", name="Recovery").first.click()
    await mara.page.get_by_role("button", name="Resume").wait_for()
    for width in (1440, 360):
        await mara.page.set_viewport_size({"width": width, "height": 900})
        await mara.page.screenshot(path=pictures / f"recovery-{width}.png")
    await mara.open(f"/tasks/{task}")
    agent = await mara.page.locator('a[href^="/agents/"]').first.get_attribute("href")
    await mara.open(agent or "")
    await mara.sees('[data-agent-status="error"]')


async def _pids(repository: Path) -> tuple[int, int]:
    """What the tool and its child call themselves, once both files are written."""
    async with asyncio.timeout(40):
        while True:
            texts = [file.read_text().strip() for file in sorted((repository / ".worktrees").glob("*/*.pid"))]
            if len(texts) == 2 and all(texts):
                return int(texts[1]), int(texts[0])
            await asyncio.sleep(0.05)


def _marker_of(pid: int) -> str:
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    prefix = b"AGENTPANE_RUN_ID="
    return next(os.fsdecode(entry[len(prefix) :]) for entry in environment if entry.startswith(prefix))


async def test_a_server_asked_to_stop_ends_with_its_streams_and_agents(
    serve: Callable[..., Awaitable[Server]],
    new_context: Callable[..., Awaitable[BrowserContext]],
    scripted_model: ScriptedModel,
    repository: Path,
) -> None:
    server = await serve(**scripted_model.env)
    mara = await Person.before(await new_context(), server.url)
    project = await mara.adds_project(repository)
    await mara.adds_agent(project, "worker-1", "claude")
    task = await mara.adds_task(project, "Never end", "SCENARIO:forever")
    await mara.starts(task)
    tool, child = (outside(pid, repository / ".worktrees") for pid in await _pids(repository))
    await mara.page.locator(f'[data-task-id="{task}"] .card__foot a:has-text("Open live")').click()
    await mara.sees('[data-connection="live"]')

    async with asyncio.timeout(10):
        assert await server.stop() == 0
    assert not trees.is_alive(tool, None)
    assert not trees.is_alive(child, None)

    await server.start()
    mara.url = server.url
    await mara.open(f"/projects/{project}")
    card = await mara.sees(f'[data-task-id="{task}"][data-stage="error"]')
    assert "interrupted" in await card.inner_text()
