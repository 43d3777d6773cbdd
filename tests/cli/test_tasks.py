"""Projects, agents and tasks from the command line, while AgentPane runs and while it does not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.e2e.server import Server
from tests.git.repositories import commit, make_repository, user

#: Writes down what it is asked; holds at "Hold" until it is ended.
AGENT = """sh -c 'read -r line; echo "$line" >> asked.txt; [ "$line" != Hold ] || exec tail -f /dev/null'"""


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return Terminal(tmp_path_factory.mktemp("cli") / "data")


@pytest.fixture(scope="module")
def repository(terminal: Terminal, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository on the board as Wheelwright, with one agent."""
    repository = make_repository(tmp_path_factory.mktemp("work") / "wheels")
    terminal.run("project", "add", repository, "--name", "Wheelwright")
    terminal.run("agent", "add", "wheelwright", "worker", "--runner", "command", "--command", AGENT)
    return repository


@pytest.fixture
async def server(terminal: Terminal, tmp_path: Path) -> AsyncIterator[Server]:
    """AgentPane on the same data folder, stopped at the end."""
    server = await Server(tmp_path, data_dir=terminal.data_dir).start()
    yield server
    if server.is_running:
        await server.stop()


def test_nothing_is_there_at_first(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "data")
    assert terminal.says("task", "list") == "There are no tasks.\n"
    assert terminal.json("project", "list") == []


def test_what_was_added_is_listed(terminal: Terminal, repository: Path) -> None:
    (project,) = terminal.json("project", "list")
    assert (project["name"], project["path"]) == ("Wheelwright", str(repository))
    assert f"Wheelwright  main    {repository}" in terminal.says("project", "list")
    (agent,) = terminal.json("agent", "list", project["id"][:6])
    assert (agent["name"], agent["config"]["runner"], agent["status"]) == ("worker", "command", "idle")
    assert "worker  idle" in terminal.says("agent", "list")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["project", "add", "."], "is registered already, as Wheelwright."),
        (["project", "add", "/"], "/ is not a git repository."),
        (["agent", "add", "Wheelwright", "x", "--runner", "command"], "Give the program and its arguments"),
        (["agent", "list", "nobody"], "There is no project 'nobody'."),
        (["task", "add", "nobody", "Title"], "There is no project 'nobody'."),
        (["task", "show", "abcdefgh"], "There is no task 'abcdefgh'."),
    ],
)
def test_a_refusal_is_one_sentence(terminal: Terminal, repository: Path, arguments: list[str], sentence: str) -> None:
    assert sentence in terminal.refuses(*(repository if word == "." else word for word in arguments))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["task", "add", "wheelwright", ""],
            "Invalid value for 'TITLE': Fill this in. See 'agentpane task add --help'",
        ),
        (["task", "add", "wheelwright", "x" * 201], "Invalid value for 'TITLE': Use at most 200 characters"),
        (["agent", "add", "wheelwright", "x", "--temperature", "2"], "Invalid value for '--temperature': "),
        (["task", "reject", "abcdefgh", "x" * 1001], "Invalid value for 'REASON': Use at most 1,000 characters"),
    ],
)
def test_what_no_field_takes_is_wrong_usage(terminal: Terminal, arguments: list[str], sentence: str) -> None:
    assert sentence in terminal.refuses(*arguments, code=2)


def test_a_task_without_a_server_waits_for_one(terminal: Terminal, repository: Path) -> None:
    task = terminal.adds("task", "add", "wheelwright", "Later", "--label", "slow", "--description", "Two\nlines")
    assert f"{task[:8]}  Backlog" in terminal.says("task", "list", "wheelwright")
    assert "it begins when one does" in terminal.says("task", "start", task[:6])
    found = terminal.json("task", "show", task)
    assert (found["stage"], found["labels"], found["digest"]) == ("queued", ["slow"], None)
    shown = terminal.says("task", "show", task)
    assert "state: In progress, queued\nlabels: slow\ndescription:\n  Two\n  lines\n" in shown
    assert "it cannot approve now" in terminal.refuses("task", "approve", task)
    assert terminal.says("task", "cancel", task) == f"Cancelled {task}: Later.\n"


async def test_the_whole_way_beside_a_server(terminal: Terminal, repository: Path, server: Server) -> None:

    # The server hears of what is started in another process, and of a stop.
    held = terminal.adds("task", "add", "wheelwright", "Hold", "--start")
    await terminal.sees(held, "running")
    assert terminal.says("task", "cancel", held).endswith(f"The work is on agent/{held[:6]}/hold.\n")
    cancelled = terminal.json("task", "show", held)
    assert (cancelled["column"], cancelled["runs"][0]["error_type"]) == ("backlog", "stopped")

    # A rejection's reason is the next prompt.
    task = terminal.adds("task", "add", "wheelwright", "Write it down", "--start")
    await terminal.sees(task, "review")
    terminal.run("task", "reject", task, "Once more, please.")
    rejected = await terminal.sees(task, "review")
    assert [run["cause"] for run in rejected["runs"]] == ["rejection", "task"]
    assert rejected["rejection_reason"] == "Once more, please."

    # An approval takes the digest that was shown, and no other.
    assert f"A asked.txt  +2 −0\nbranch: agent/{task[:6]}/write-it-down into main\ndigest: {rejected['digest']}\n" in (
        terminal.says("task", "show", task)
    )
    commit(repository, {"other.txt": "moved on"}, "Meanwhile")
    assert "not the one you were shown" in terminal.refuses("task", "approve", task, "--digest", rejected["digest"])
    shown = terminal.json("task", "show", task)
    approved = terminal.says("task", "approve", task, "--digest", shown["digest"], "--message", "Asked and written")
    merged = user(repository, "rev-parse", "main")
    assert f"digest: {shown['digest']}\nApproved {task}: Write it down, merged into main as {merged[:10]}\n" in approved
    assert user(repository, "log", "-1", "--format=%s") == "Asked and written"
    assert (repository / "asked.txt").read_text().startswith("Write it down\n")
    assert terminal.json("task", "show", task)["approved_by"] == "mara"

    # The database outlives the commands as long as the server does.
    assert await server.stop() == 0
    assert terminal.json("task", "show", task)["column"] == "verified"


async def test_a_run_cut_off_with_its_server_is_not_waited_for(
    terminal: Terminal, repository: Path, server: Server
) -> None:
    task = terminal.adds("task", "add", "wheelwright", "Hold", "--start")
    await terminal.sees(task, "running")
    await server.kill()
    assert "start AgentPane, which ends it, then cancel" in await asyncio.to_thread(
        terminal.refuses, "task", "cancel", task
    )
    await server.start()
    assert (await terminal.sees(task, "error"))["runs"][0]["error_type"] == "interrupted"
    terminal.run("task", "cancel", task)
