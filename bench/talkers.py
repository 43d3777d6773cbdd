"""Projects whose agents only talk: put to work, waited for, and what they said compared with the log and a reader."""

import asyncio
import re
import shlex
import sys
from pathlib import Path

from msgspec import Struct

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.postgres.reading import rows, scalar
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.projects.rows import ProjectRow
from app.tasks.creating import create_task
from app.tasks.forms import NewTask
from bench.filling import SOMEBODY
from bench.talker import CALL_EVERY
from tests.git.repositories import make_repository

TALKER = Path(__file__).with_name("talker.py").resolve()
_OF_AGENT = "session_id = $1 AND actor_kind = 'agent' AND kind IN ('message', 'tool_call', 'tool_result')"


class Live(Struct, frozen=True):
    """A run that is live: its session, and its program."""

    session_id: str
    pid: int


async def put_up(repository: Path, agents: int, lines: int, every_s: float) -> ProjectRow:
    """A project with `agents` agents that each say `lines` things, one each `every_s` seconds."""
    new = NewProject(path=str(make_repository(repository)), max_concurrent_agents=agents)
    project = await create_project(new, SOMEBODY)
    command = shlex.join([sys.executable, "-I", str(TALKER), "--lines", str(lines), "--every", str(every_s)])
    for number in range(agents):
        await create_agent(project.id, AgentForm(name=f"talker-{number}", runner="command", command=command), SOMEBODY)
    return project


async def put_to_work(project: ProjectRow, tasks: int) -> None:
    """Queue `tasks` tasks."""
    for number in range(tasks):
        await create_task(project.id, NewTask(title=f"Talk, part {number}", start=True), SOMEBODY)


async def at_work() -> list[Live]:
    """Whose program runs now, the oldest first."""
    return await rows(
        Live,
        "SELECT r.session_id, d.pid FROM agent_runs r JOIN run_details d ON d.run_id = r.id"
        " WHERE r.completed_at IS NULL AND d.pid IS NOT NULL ORDER BY r.started_at",
    )


async def all_at_work(count: int) -> list[Live]:
    """Once `count` programs run at the same time."""
    async with asyncio.timeout(60):
        while len(found := await at_work()) < count:
            await asyncio.sleep(0.1)
    return found


async def all_done(within_s: float) -> None:
    """Once no run is live."""
    async with asyncio.timeout(within_s):
        while int(await scalar("SELECT count(*) FROM agent_runs WHERE completed_at IS NULL")):
            await asyncio.sleep(0.2)


async def logged(run: Live) -> list[int]:
    """The numbers of the events that are the agent's."""
    return list(await scalar(f"SELECT array_agg(number ORDER BY number) FROM events WHERE {_OF_AGENT}", run.session_id))


async def log_length(run: Live) -> int:
    """How many events are the agent's."""
    return int(await scalar(f"SELECT count(*) FROM events WHERE {_OF_AGENT}", run.session_id))


async def lost_in_log(run: Live, lines: int) -> int:
    """How many of the `lines` things that it said are not in the log. What is there is in its order."""
    texts = await scalar(
        f"SELECT array_agg(payload->>'text' ORDER BY number) FROM events WHERE {_OF_AGENT} AND kind = 'message'",
        run.session_id,
    )
    said = [int(found[1]) for text in texts if (found := re.match(r"said (\d+) ", text))]
    assert said == sorted(said)
    ended = await scalar(f"SELECT count(*) FROM events WHERE {_OF_AGENT} AND kind = 'tool_result'", run.session_id)
    return lines - len(set(said)) - int(ended)


def events(lines: int) -> int:
    """How many events that many lines are: a call has its result besides."""
    return lines + lines // CALL_EVERY
