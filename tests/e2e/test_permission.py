"""A call that must be asked for waits half an hour and for a server that was killed, and is allowed on a phone without
JavaScript; the next one is denied. For each runner."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from msgspec import Struct
from playwright.async_api import BrowserContext

from tests.e2e.person import Person
from tests.e2e.server import Server
from tests.e2e.workers import Worker, claude_printing, over_acp, put_to_work, script, worktree_of
from tests.permissions.test_commands import TAGS
from tests.programs.known import CLAUDE_ACP, environment
from tests.scripted_model import ScriptedModel
from tests.visitor import Visitor

#: Seconds by which the server's clock is put forward while the call waits: more than the run may take or be silent.
HALF_AN_HOUR_S = 30 * 60
NOTE = "One tag is enough."


def _told_by_model(_worktree: Path, model: ScriptedModel) -> str:
    return "\n".join(f"{asked.told} {asked.heard}" for asked in model.asked)


def _heard_by_program(worktree: Path, _model: ScriptedModel) -> str:
    return (worktree / "heard.jsonl").read_text()


def _said_by_script(worktree: Path, _model: ScriptedModel) -> str:
    return (worktree / "told.txt").read_text()


class Program(Struct, frozen=True, kw_only=True):
    """An agent's program. Each makes the same two calls, and makes them anew when it is told to go on after a restart.

    `told`: where one can read what it was told.
    """

    worker: Callable[[Path], Worker]
    told: Callable[[Path, ScriptedModel], str] = _told_by_model


#: By the title of the task that it works on, no part of another's.
PROGRAMS = {
    "Claude SDK": Program(worker=lambda _folder: Worker(runner="claude")),
    "Over ACP": Program(worker=lambda _folder: over_acp("twice"), told=_heard_by_program),
    "Agent bridge": Program(worker=lambda _folder: Worker(runner=CLAUDE_ACP.runner, command=CLAUDE_ACP.command)),
    "A script": Program(worker=lambda folder: script(folder, "tags", TAGS), told=_said_by_script),
    "Print mode": Program(worker=lambda _folder: claude_printing()),
}


async def test_calls_wait_for_a_phone_through_half_an_hour_and_a_killed_server(
    serve: Callable[..., Awaitable[Server]],
    new_context: Callable[..., Awaitable[BrowserContext]],
    scripted_model: ScriptedModel,
    repository: Path,
    pictures: Path,
    tmp_path: Path,
) -> None:
    later = tmp_path / "later"
    later.write_text("0")
    server = await serve(
        module="tests.e2e.later", LATER=str(later), **environment(scripted_model.url, tmp_path / "home")
    )
    board = await puts_to_work(server.url, repository, tmp_path)
    phone = await Person.before(await new_context(java_script_enabled=False), server.url, has_script=False)
    await phone.page.set_viewport_size({"width": 360, "height": 740})

    before: dict[str, tuple[str, str]] = {}
    for title in PROGRAMS:
        await phone.open(board)
        await asks(phone, title, "echo one >> tags.txt")
        row = await phone.page.locator('a[href^="/audit/"]').first.get_attribute("href")
        before[title] = (question(phone), row or "")
    later.write_text(str(HALF_AN_HOUR_S))
    for title in PROGRAMS:
        await phone.open(board)
        await asks(phone, title, "echo one >> tags.txt")
        assert await asked_half_an_hour_ago(phone)
        assert (question(phone), tags(repository, title)) == (before[title][0], "")
    await server.kill()
    await server.start()
    phone.url = server.url

    for title in PROGRAMS:  # The same question goes on, for the call that the program makes again.
        await phone.open(board)
        await asks(phone, title, "echo one >> tags.txt")
        await phone.sees(f'a[href^="/audit/"]:not([href="{before[title][1]}"])')
        assert (question(phone), tags(repository, title)) == (before[title][0], "")
        assert await asked_half_an_hour_ago(phone)
        await phone.page.screenshot(path=pictures / "permission-phone.png")
        await phone.page.get_by_role("button", name="Allow once").click()
        await phone.sees('[data-permission-status="allowed"]')

    for title in PROGRAMS:
        await phone.open(board)
        await asks(phone, title, "echo two >> tags.txt")
        assert tags(repository, title) == "one\n", "the call that was allowed ran"
        await phone.page.locator('textarea[name="note"]').fill(NOTE)
        await phone.page.get_by_role("button", name="Deny").click()
        await phone.sees('[data-permission-status="denied"]')

    for title, program in PROGRAMS.items():
        await phone.open(board)
        await phone.sees(f'[data-stage="review"]:has-text("{title}")')
        assert tags(repository, title) == "one\n", "the call that was denied did not run"
        assert NOTE in program.told(worktree_of(repository, title), scripted_model)


async def puts_to_work(url: str, repository: Path, folder: Path) -> str:
    """An agent for each program, in a project whose runs may take 20 minutes; the path of its board."""
    workers = {title: program.worker(folder) for title, program in PROGRAMS.items()}
    settings = {"permissions_ask": "Bash(echo*)", "timeout_minutes": "20", "idle_timeout_minutes": "10"}
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        board, _ = await put_to_work(Visitor(http), repository, workers, "SCENARIO:twice", **settings)
    return board


async def asks(phone: Person, title: str, call: str) -> None:
    """From the board to the question for `call`."""
    link = f'#needs a[href^="/permissions/"]:has-text("{title}"):has-text("{call}")'
    await (await phone.sees(link)).click()
    assert call in await phone.page.locator(".permission pre").inner_text()


async def asked_half_an_hour_ago(phone: Person) -> bool:
    """Whether the page says so; the minutes that this test itself takes come on top."""
    return re.search(r"asked 3\d min ago", await phone.page.locator(".permission").inner_text()) is not None


def question(phone: Person) -> str:
    return phone.page.url.partition("/permissions/")[2]


def tags(repository: Path, title: str) -> str:
    """What the agent's commands have written by now."""
    file = worktree_of(repository, title) / "tags.txt"
    return file.read_text() if file.exists() else ""
