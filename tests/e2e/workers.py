"""Agents of every kind, put to work at once in one project, by the forms that a person would send."""

import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from app.runners.claude.program import find_claude
from tests.runners import acp_agent
from tests.visitor import Visitor


class Worker(Struct, frozen=True, kw_only=True):
    """An agent's program."""

    runner: str
    command: str = ""


def claude_printing() -> Worker:
    """The real Claude Code as a command."""
    program = find_claude({"ANTHROPIC_API_KEY": "x"}).program
    return Worker(runner="command", command=f"{shlex.quote(program)} -p {{prompt}}")


def over_acp(scene: str) -> Worker:
    """Our own program that speaks the protocol."""
    return Worker(runner="acp", command=shlex.join([sys.executable, acp_agent.__file__, scene]))


def script(folder: Path, name: str, text: str) -> Worker:
    """A script for sh."""
    (folder / f"{name}.sh").write_text(text)
    return Worker(runner="command", command=f"sh {shlex.quote(str(folder / f'{name}.sh'))}")


async def put_to_work(
    mara: Visitor, repository: Path, workers: Mapping[str, Worker], description: str, **settings: str
) -> tuple[str, dict[str, str]]:
    """A project with an agent and a task by the name of each worker; the path of its board, and the agents' ids."""
    board = (await mara.send("/projects/new", "/projects", path=str(repository))).headers["location"]
    await _sent(mara, f"{board}/settings", f"{board}/settings", max_concurrent_agents="10", **settings)
    agents: dict[str, str] = {}
    for name, worker in workers.items():
        await _sent(mara, f"{board}/agents", f"{board}/agents", name=name, runner=worker.runner, command=worker.command)
        [agents[name]] = re.findall(rf'<option value="(\w+)"[^>]*>{name}</option>', await mara.page(board))
        task = {"title": name, "description": description, "agent_id": agents[name], "start": "true"}
        await _sent(mara, board, f"{board}/tasks", **task)
    return board, agents


async def _sent(mara: Visitor, page: str, action: str, **fields: str) -> None:
    answer = await mara.send(page, action, **fields)
    assert answer.status_code == 303, answer.text


def worktree_of(repository: Path, name: str) -> Path:
    """Of the task by that name."""
    [found] = (repository / ".worktrees").glob(f"*{name.lower().replace(' ', '-')}*")
    return found
