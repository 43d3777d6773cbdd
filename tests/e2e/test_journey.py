"""The main job, end to end: repository, agent, task, start, watch, review, reject, approve, and the merge is there."""

import asyncio
import shlex
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext

from tests.e2e.person import Person
from tests.e2e.server import Server
from tests.git.repositories import user
from tests.scripted_model import ScriptedModel

REASON = "Say it twice, please: <b>once</b> is not enough."

#: An agent of a few lines: it holds at its first run until released, and quotes what it was asked.
SCRIPT = """#!/bin/sh
prompt=$(cat)
if [ "$AGENTPANE_ATTEMPT" = 1 ]; then
  echo "hello from the script" > hello.txt
  echo "I wrote hello.txt and wait."
  touch held; while [ ! -e release ]; do sleep 0.05; done; rm -f release held
else
  printf 'I was asked: %s\\n' "$prompt" > second.txt
fi
echo "All done."
"""


@pytest.mark.parametrize(
    ("runner", "has_script"),
    [("claude", True), ("claude", False), ("command", True)],
    ids=["claude", "claude without JavaScript", "command"],
)
async def test_from_a_repository_to_a_merge(
    runner: str,
    has_script: bool,
    serve: Callable[..., Awaitable[Server]],
    new_context: Callable[..., Awaitable[BrowserContext]],
    scripted_model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
    pictures: Path,
) -> None:
    server = await serve(**scripted_model.env)
    mara = await Person.before(await new_context(java_script_enabled=has_script), server.url, has_script)

    project = await mara.adds_project(repository)
    await mara.adds_agent(
        project, "worker-1", runner, shlex.quote(str(_script(tmp_path))) if runner == "command" else ""
    )
    task = await mara.adds_task(project, "Greet the world", "Write hello.txt. SCENARIO:held")
    await mara.starts(task)

    # While the agent is at work, the card and the session page show it.
    await mara.sees(f'[data-task-id="{task}"][data-stage="running"]')
    worktree = await _held(repository)
    await mara.page.screenshot(path=pictures / f"board-{runner}-{has_script}.png")
    await mara.page.locator(f'[data-task-id="{task}"] .card__foot a:has-text("Open live")').click()
    await mara.sees("[data-event-seq]")
    await mara.sees("text=hello.txt")
    await mara.page.screenshot(path=pictures / f"session-{runner}-{has_script}.png")
    (worktree / "release").touch()
    await mara.sees("text=All done")
    await mara.sees('[data-run-status="completed"]')

    # The diff is shown; a rejection's reason is what the second run is asked.
    await mara.open(f"/projects/{project}")
    await mara.sees(f'[data-task-id="{task}"][data-column="waiting_approval"]')
    await mara.open(f"/tasks/{task}/review")
    assert "hello from the" in await mara.page.locator(".diff").first.inner_text()
    await mara.page.screenshot(path=pictures / f"review-{runner}-{has_script}.png")
    await mara.rejects(task, REASON)
    await mara.open(f"/projects/{project}")
    await mara.sees(f'[data-task-id="{task}"][data-column="waiting_approval"]')
    assert REASON in (worktree / "second.txt").read_text()

    # Approved: the merge commit is on main, in the person's own copy too, and the worktree is gone.
    await mara.approves(task, "Mara Lindqvist")
    await mara.sees('[data-stage="done"]')
    assert user(repository, "log", "-1", "--format=%s", "main") == "Greet the world"
    assert len(user(repository, "log", "-1", "--format=%P", "main").split()) == 2
    assert (repository / "hello.txt").read_text().startswith("hello from the")
    assert user(repository, "status", "--porcelain") == ""
    assert not worktree.exists()
    assert user(repository, "branch", "--format=%(refname:short)") == "main"
    await mara.page.screenshot(path=pictures / f"task-{runner}-{has_script}.png")


def _script(folder: Path) -> Path:
    script = folder / "my agent.sh"
    script.write_text(SCRIPT)
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


async def _held(repository: Path) -> Path:
    """The worktree, once the agent waits in it to be released."""
    async with asyncio.timeout(30):
        while not (held := list((repository / ".worktrees").glob("*/held"))):
            await asyncio.sleep(0.05)
    return held[0].parent
