"""The demo end to end: the board fills, agents work, one is sent back, one fails and is retried, one is merged."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.cli.terminal import Terminal
from tests.e2e.server import Server
from tests.git.repositories import user
from tests.visitor import Visitor

REASON = "Say what happens with 1.250,00, please."


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "the demo's data")


@pytest.fixture
async def demo(terminal: Terminal, tmp_path: Path) -> AsyncIterator[Server]:
    """`agentpane demo` with a script that never waits."""
    server = await Server(tmp_path, data_dir=terminal.data_dir, command=("demo", "--pace", "0")).start()
    yield server
    if server.is_running:
        assert await server.stop() == 0


async def test_the_whole_loop_without_a_key(demo: Server, terminal: Terminal) -> None:
    repository = terminal.data_dir / "pocketbook"
    tasks = {task["title"]: task["id"] for task in terminal.json("task", "list")}
    assert len(tasks) == 6
    comma, convert = tasks["Accept amounts with a comma"], tasks["Convert foreign amounts"]
    assert [agent["config"]["runner"] for agent in terminal.json("agent", "list")] == ["command"] * 3

    # One is sent back by the form of its page, and the reason is in the work.
    reviewed = await terminal.sees(comma, "review")
    assert reviewed["runs"][0]["turn_count"] > 5
    async with httpx.AsyncClient(base_url=demo.url, timeout=30) as client:
        mara = Visitor(client)
        assert "parse_amount" in await mara.page(f"/sessions/{reviewed['session_id']}")
        answer = await mara.send(f"/tasks/{comma}/review", f"/tasks/{comma}/reject", reason=REASON)
        assert answer.status_code == 303

        # One fails at first, in words that say so, and goes on when it is retried.
        failed = await terminal.sees(convert, "error")
        assert failed["runs"][0]["error_type"] == "process_exit"
        assert "part of the demo" in await mara.page(f"/tasks/{convert}")
        retry = f"/agents/{failed['agent_id']}/retry"
        assert (await mara.send(f"/tasks/{convert}", retry)).status_code == 303

    again = await _runs(terminal, comma, 2)
    assert again["runs"][0]["cause"] == "rejection"
    assert f"Asked for: “{REASON}”" in user(repository, "show", f"{again['branch']}:changes/{comma_file()}")
    assert (await _runs(terminal, convert, 2))["runs"][0]["status"] == "completed"

    # What was approved is in the sample repository, and its working copy follows.
    terminal.run("task", "approve", comma)
    assert user(repository, "log", "-1", "--format=%s", "main") == "Accept amounts with a comma"
    assert len(user(repository, "log", "-1", "--format=%P", "main").split()) == 2
    assert REASON in (repository / "changes" / comma_file()).read_text()
    assert user(repository, "status", "--porcelain") == ""


async def test_another_demo_goes_on_and_a_fresh_one_begins_anew(
    demo: Server, terminal: Terminal, tmp_path: Path
) -> None:
    before = {task["id"] for task in terminal.json("task", "list")}
    new = terminal.adds("task", "add", "pocketbook", "Mine")
    assert "is running: stop it first" in terminal.refuses("demo", "--fresh", "--port", "0")
    await demo.stop()
    again = await Server(tmp_path, data_dir=terminal.data_dir, command=("demo",)).start()
    assert {task["id"] for task in terminal.json("task", "list")} == {*before, new}
    assert [agent["config"]["command"][-1] for agent in terminal.json("agent", "list")] == ["1"] * 3
    await again.stop()
    fresh = await Server(tmp_path, data_dir=terminal.data_dir, command=("demo", "--fresh")).start()
    assert before.isdisjoint(task["id"] for task in terminal.json("task", "list"))
    await fresh.stop()


def test_a_folder_of_somebody_else_is_refused(terminal: Terminal) -> None:
    terminal.data_dir.mkdir()
    (terminal.data_dir / "thesis.tex").touch()
    assert "holds something that the demo did not make" in terminal.refuses("demo", "--fresh")
    assert (terminal.data_dir / "thesis.tex").exists()


def comma_file() -> str:
    return "accept-amounts-with-a-comma.md"


async def _runs(terminal: Terminal, task: str, count: int) -> dict:
    """The task in review after so many runs."""
    async with asyncio.timeout(60):
        while True:
            found = await terminal.sees(task, "review")
            if len(found["runs"]) == count:
                return found
