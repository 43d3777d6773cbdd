"""A call that must be asked for waits half an hour and for a server that was killed, and is allowed on a phone without
JavaScript; the next one is denied. For each runner."""

import asyncio
import shlex
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from playwright.async_api import BrowserContext

from app.runners.claude.program import find_claude
from tests.e2e.person import PATIENCE_S, Person
from tests.e2e.server import Server
from tests.permissions.test_commands import TAGS
from tests.runners import acp_agent
from tests.scripted_model import ScriptedModel
from tests.visitor import Visitor

#: Seconds by which the server's clock is put forward while the call waits: more than the run may take or be silent.
HALF_AN_HOUR_S = 30 * 60
NOTE = "One tag is enough."


def _claude() -> str:
    return find_claude({"ANTHROPIC_API_KEY": "x"}).program


def _script(folder: Path) -> str:
    (folder / "tags.sh").write_text(TAGS)
    return f"sh {shlex.quote(str(folder / 'tags.sh'))}"


def _told_by_model(_worktree: Path, model: ScriptedModel) -> str:
    return "\n".join(asked.told for asked in model.asked)


def _heard_by_program(worktree: Path, _model: ScriptedModel) -> str:
    return (worktree / "heard.jsonl").read_text()


def _said_by_script(worktree: Path, _model: ScriptedModel) -> str:
    return (worktree / "told.txt").read_text()


#: Runner, command, and where the agent was told the note. All make the same two calls, and make them anew when they are
#: told to go on after a restart.
PROGRAMS: dict[str, tuple[str, Callable[[Path], str], Callable[[Path, ScriptedModel], str]]] = {
    "claude": ("claude", lambda _folder: "", _told_by_model),
    "acp": (
        "acp",
        lambda _folder: shlex.join([sys.executable, str(Path(acp_agent.__file__)), "twice"]),
        _heard_by_program,
    ),
    "command": ("command", _script, _said_by_script),
    "claude -p": ("command", lambda _folder: f"{shlex.quote(_claude())} -p {{prompt}}", _told_by_model),
}


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_call_waits_for_a_phone_through_half_an_hour_and_a_killed_server(
    serve: Callable[..., Awaitable[Server]],
    new_context: Callable[..., Awaitable[BrowserContext]],
    scripted_model: ScriptedModel,
    repository: Path,
    pictures: Path,
    tmp_path: Path,
    program: str,
) -> None:
    runner, command, told = PROGRAMS[program]
    later = tmp_path / "later"
    later.write_text("0")
    server = await serve(module="tests.e2e.later", LATER=str(later), **scripted_model.env)
    board = await puts_to_work(server.url, repository, runner, command(tmp_path))
    phone = await Person.before(await new_context(java_script_enabled=False), server.url, has_script=False)
    await phone.page.set_viewport_size({"width": 360, "height": 740})

    await phone.open(board)
    await asks(phone, "echo one >> tags.txt")
    first = phone.page.url
    row = await phone.page.locator('a[href^="/audit/"]').first.get_attribute("href")
    assert tags(repository) == ""

    later.write_text(str(HALF_AN_HOUR_S))
    await phone.page.reload()
    assert "asked 30 min ago" in await phone.page.locator(".permission").inner_text()
    await server.kill()
    assert tags(repository) == ""
    await server.start()
    phone.url = server.url

    # The same question goes on, for the call that the program makes again.
    await phone.open(board)
    await asks(phone, "echo one >> tags.txt")
    assert phone.page.url.partition("/permissions/")[2] == first.partition("/permissions/")[2]
    await phone.sees(f'a[href^="/audit/"]:not([href="{row}"])')
    assert "asked 30 min ago" in await phone.page.locator(".permission").inner_text()
    assert tags(repository) == ""
    await phone.page.screenshot(path=pictures / f"permission-phone-{runner}.png")
    await phone.page.get_by_role("button", name="Allow once").click()
    await phone.sees('[data-permission-status="allowed"]')
    await until(lambda: tags(repository) == "one\n", "the call that was allowed runs")

    await phone.open(board)
    await asks(phone, "echo two >> tags.txt")
    await phone.page.locator('textarea[name="note"]').fill(NOTE)
    await phone.page.get_by_role("button", name="Deny").click()
    await phone.sees('[data-permission-status="denied"]')
    await phone.open(board)
    await phone.sees('[data-task-id][data-stage="review"]')
    assert tags(repository) == "one\n"
    assert NOTE in told(worktree_of(repository), scripted_model)


async def puts_to_work(url: str, repository: Path, runner: str, command: str) -> str:
    """A project whose runs may take 20 minutes, and an agent at work that must ask; the path of its board."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        mara = Visitor(http)
        board = (await mara.send("/projects/new", "/projects", path=str(repository))).headers["location"]
        settings = f"{board}/settings"
        saved = await mara.send(settings, settings, timeout_minutes="20", idle_timeout_minutes="10")
        assert saved.status_code == 303
        fields = {"name": "tagger", "runner": runner, "command": command, "permissions_ask": "Bash(echo*)"}
        assert (await mara.send(f"{board}/agents", f"{board}/agents", **fields)).status_code == 303
        await mara.send(board, f"{board}/tasks", title="Tag it", description="SCENARIO:twice", start="true")
    return board


async def asks(phone: Person, call: str) -> None:
    """From the board to the question for `call`."""
    await (await phone.sees(f'#needs a[href^="/permissions/"]:has-text("{call}")')).click()
    assert call in await phone.page.locator(".permission pre").inner_text()


def worktree_of(repository: Path) -> Path:
    return next((repository / ".worktrees").iterdir())


def tags(repository: Path) -> str:
    """What the agent's commands have written by now."""
    file = worktree_of(repository) / "tags.txt"
    return file.read_text() if file.exists() else ""


async def until(look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not look():
        assert time.monotonic() < deadline, f"never: {what}"
        await asyncio.sleep(0.05)
