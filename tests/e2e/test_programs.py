"""The main job with real agent programs: each is put to work on the board, watched, compared with what the model's
service counted, approved; and stopped while a tool runs, leaving no process.

All of them are at work on one server from the beginning, each in a project of its own: they start slowly.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator

from app.processes import trees
from app.processes.guard import LINUX, MARKER
from app.web.formats import short_number
from tests.conftest import fresh_database
from tests.e2e.person import Person
from tests.e2e.server import Server
from tests.git.repositories import make_repository, user
from tests.processes.outside import outside
from tests.programs.known import CODEX, KNOWN, Known, environment
from tests.scripted_model import ScriptedModel
from tests.scripted_model.replies import (
    CACHE_READ_TOKENS,
    CACHE_WRITE_TOKENS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
)
from tests.scripted_model.requests import Asked

pytestmark = pytest.mark.skipif(not LINUX, reason="the processes of a run are looked for in /proc")
every_program = pytest.mark.parametrize("program", KNOWN, ids=[program.name for program in KNOWN])
#: Seconds for the slowest program to come to its tool, with all of them starting at once.
SLOWEST_S = 180.0
#: Seconds after the button within which no process of a run may be left.
GONE_S = 2.0
TAIL = b"tail\0-f\0/dev/null\0"


@dataclass(frozen=True)
class Workplace:
    """A project with a program at work on two tasks: one to be done, one that never ends."""

    person: Person
    project: str
    repository: Path
    job: str
    endless: str

    async def made(self, file: str) -> Path:
        """That file of an agent, once it is there, and a file of a pid says one."""
        deadline = time.monotonic() + SLOWEST_S
        while True:
            found = list((self.repository / ".worktrees").glob(f"*/{file}"))
            if found and (not file.endswith(".pid") or found[0].read_text().strip()):
                return found[0]
            assert time.monotonic() < deadline, f"no {file}:\n{await self._what_happened()}"
            await asyncio.sleep(0.05)

    async def _what_happened(self) -> str:
        shown = []
        for task in (self.job, self.endless):
            await self.opens_session(task)
            shown.append(await self.person.page.locator("#main").inner_text())
        return "\n".join(shown)

    async def opens_session(self, task: str) -> None:
        """From the card to the record."""
        await self.person.open(f"/tasks/{task}")
        await self.person.page.locator('a[href^="/sessions/"]').first.click()
        await self.person.sees("#session-run")

    async def audit_rows(self, task: str) -> list[tuple[str, str, str]]:
        """The calls of a task on the audit page, oldest first: tool, status, duration."""
        await self.person.open(f"/projects/{self.project}/audit?task={task}&kind=calls")
        rows = await self.person.page.locator("details.row").all()
        return [
            (
                await row.locator("b").inner_text(),
                await row.get_attribute("data-status") or "",
                await row.locator("summary .num").inner_text(),
            )
            for row in reversed(rows)
        ]


@dataclass(frozen=True)
class Town:
    """The server, the model's service, and the workplace of each program."""

    server: Server
    model: ScriptedModel
    places: dict[str, Workplace]

    def asked_by(self, program: Known, scenario: str) -> list[Asked]:
        """What the service was asked for that program's task; titles and the like are asked for without tools."""
        return [
            each
            for each in self.model.asked
            if each.tools and each.scenario == scenario and f"by {program.name}." in each.prompt
        ]


@pytest.fixture(scope="module")
async def town(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    errors: list[str] = []
    async with AsyncExitStack() as ends:
        model = ends.enter_context(ScriptedModel())
        env = await asyncio.to_thread(environment, model.url, folder / "home")
        if given := os.environ.get("DATABASE_URL"):
            env["DATABASE_URL"] = await ends.enter_async_context(fresh_database(given))
        server = Server(folder, env)
        await server.start()

        async def settle(program: Known) -> Workplace:
            context = await browser.new_context(viewport={"width": 1440, "height": 900})
            ends.push_async_callback(context.close)
            context.set_default_timeout(30_000)
            context.on("weberror", lambda error: errors.append(str(error.error)))
            return await _settle(program, await Person.before(context, server.url), folder)

        try:
            settled = await asyncio.gather(*map(settle, KNOWN))
            yield Town(server, model, dict(zip([program.name for program in KNOWN], settled, strict=True)))
        finally:
            assert await server.stop() == 0
        assert errors == []
        assert "Traceback" not in server.log.read_text()


async def _settle(program: Known, mara: Person, folder: Path) -> Workplace:
    repository = make_repository(folder / f"wheels of {program.name}", {"README.md": "# Wheelwright\n"})
    project = await mara.adds_project(repository, "/projects/new")
    for name in ("worker-1", "worker-2"):
        await mara.adds_agent(project, name, program.runner, program.command)
    tasks = []
    for scenario in ("held", "forever"):
        task = await mara.adds_task(project, f"Be {scenario}", f"By hand, by {program.name}. SCENARIO:{scenario}")
        await mara.starts(task)
        tasks.append(task)
    return Workplace(mara, project, repository, *tasks)


@every_program
async def test_it_does_a_task_and_the_record_agrees_with_the_model(program: Known, town: Town, pictures: Path) -> None:
    place = town.places[program.name]
    mara, task = place.person, place.job
    worktree = (await place.made("held")).parent
    held_at = time.monotonic()
    await mara.open(f"/projects/{place.project}")
    await mara.sees(f'[data-task-id="{task}"][data-stage="running"]')
    await mara.page.locator(f'[data-task-id="{task}"] .card__foot a:has-text("Open live")').click()
    await mara.sees('[data-connection="live"]')
    await mara.sees('details.tool[data-status="running"]:has-text("while")')
    held_s = time.monotonic() - held_at
    (worktree / "release").touch()
    await mara.sees("text=All done: wrote hello.txt.")
    await mara.sees('#session-head[data-run-status="completed"]')
    await mara.page.screenshot(path=pictures / f"program-{program.name}.png")

    # The page's numbers are those of the model's service.
    asked = town.asked_by(program, "held")
    calls = asked[-1].results
    assert (calls, asked[-1].told.count("released")) == (2, 1)
    assert (await _gauge(mara, "Turns")).split()[0] == str(calls + 1)
    read, written = (
        len(asked) * each for each in (INPUT_TOKENS + CACHE_READ_TOKENS + CACHE_WRITE_TOKENS, OUTPUT_TOKENS)
    )
    told = [short_number(read), short_number(written)] if program.tells_tokens else ["unknown", "unknown"]
    assert [await _gauge(mara, "Tokens read"), await _gauge(mara, "Tokens written")] == told
    assert _seconds((await _gauge(mara, "Time")).partition(" of ")[0]) >= held_s - 0.1
    rows = await place.audit_rows(task)
    assert [row[:2] for row in rows] == [(program.writes, "ok"), (program.runs, "ok")]
    assert len(rows) == calls
    assert rows[0][2] or program is CODEX  # It tells both ends of a quick call in one breath.
    assert _seconds(rows[0][2] or "0.0 s") < _seconds(rows[1][2])
    assert _seconds(rows[1][2]) >= held_s - 0.1

    # Approved, and merged into the person's own copy.
    await mara.open(f"/tasks/{task}/review")
    assert "hello from the" in await mara.page.locator(".diff").first.inner_text()
    await mara.approves(task, "Mara Lindqvist")
    await mara.sees('[data-stage="done"]')
    assert user(place.repository, "log", "-1", "--format=%s", "main") == "Be held"
    assert (place.repository / "hello.txt").read_text() == "hello from the scripted model\n"
    assert user(place.repository, "status", "--porcelain") == ""
    assert not worktree.exists()


@every_program
async def test_stopped_while_a_tool_runs_it_leaves_no_process(program: Known, town: Town) -> None:
    place = town.places[program.name]
    mara, task = place.person, place.endless
    pids = [await place.made(name) for name in ("tool.pid", "child.pid")]
    worktree = pids[0].parent
    tool, child = (outside(int(file.read_text()), worktree) for file in pids)
    marker = _marker_of(tool)
    run = {*trees.find_marked(marker), *trees.working_in(worktree)}
    assert {tool, child} <= run
    assert [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in run].count(TAIL) == 2

    await place.opens_session(task)
    await mara.sees('details.tool[data-status="running"]:has-text("tail -f /dev/null")')
    pressed = time.monotonic()
    await mara.page.locator("#session-head").get_by_role("button", name="Stop").click()
    while left := [pid for pid in run if trees.is_alive(pid, None)] + trees.find_marked(marker):
        assert time.monotonic() - pressed < GONE_S, [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left]
        await asyncio.sleep(0.02)

    await mara.sees('#session-head [data-stage="error"]')
    await mara.sees('[data-error-code="stopped"]')
    rows = await place.audit_rows(task)
    assert [row[:2] for row in rows] == [(program.runs, "failed")]
    assert len(rows) == town.asked_by(program, "forever")[-1].results + 1
    await mara.open(f"/projects/{place.project}/runs")
    states = {
        await row.get_attribute("data-run-status") for row in await mara.page.locator("tr[data-run-status]").all()
    }
    assert states == {"completed", "error"}


async def test_a_program_is_tried_and_the_open_page_follows(town: Town, pictures: Path) -> None:
    place = town.places[CODEX.name]
    mara = place.person
    await mara.open(f"/projects/{place.project}/agents")
    await mara.sees('.program[data-preset="codex"][data-installed="yes"]:has-text("0.169.0")')
    await mara.page.get_by_role("link", name="worker-1").first.click()
    await mara.page.get_by_role("link", name="Ask something else").click()
    await mara.page.get_by_label("What it is asked").fill("SCENARIO:journey")
    await mara.page.get_by_role("button", name="Try it").click()
    await mara.sees('[data-trial="succeeded"]')
    await mara.page.screenshot(path=pictures / "trial.png")
    shown = await mara.page.locator("#trial").inner_text()
    assert "All done: wrote hello.txt." in shown
    assert "git status --short" in shown
    assert short_number(3 * (INPUT_TOKENS + CACHE_READ_TOKENS + CACHE_WRITE_TOKENS)) in shown
    assert not list((place.repository / ".worktrees").glob("try-*"))


async def _gauge(mara: Person, name: str) -> str:
    gauge: Locator = mara.page.locator(f'#session-run .gauge:has-text("{name}") .num')
    return (await gauge.inner_text()).strip()


def _seconds(shown: str) -> float:
    """What `0.3 s` and `2:14` say."""
    if shown.endswith(" s"):
        return float(shown.removesuffix(" s"))
    minutes, seconds = shown.split(":")[-2:]
    return int(minutes) * 60 + float(seconds)


def _marker_of(pid: int) -> str:
    environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    prefix = f"{MARKER}=".encode()
    return next(os.fsdecode(entry[len(prefix) :]) for entry in environ if entry.startswith(prefix))
