"""One life: a repository, its project, and the servers that follow each other on it."""

import asyncio
import os
import shutil
import time
from pathlib import Path
from typing import Any

import asyncpg
from msgspec import Struct

from app.agents.rows import AgentRow, agents_of
from app.events.recording import Actor
from app.postgres.reading import execute, rows, scalar
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.projects.rows import ProjectRow
from app.runs.rows import RunRow, live_runs
from app.sessions.standalone import Standalone, standalone
from app.settings import Settings
from app.tasks.rows import TaskRow, tasks_of
from app.worktrees.rows import WorktreeRow, worktrees_of
from tests.invariants import check_facts, look
from tests.invariants.keeping import require_sound
from tests.lifecycles.faults import CrashAfter, CrashAfterTurns, DatabaseCut, Fault, HangsUp
from tests.lifecycles.ledger import Ledger
from tests.lifecycles.nursery import Nursery, kill
from tests.lifecycles.server import Order, Outcome, Reply

MARA = Actor("person", "Mara Lindqvist")
#: Seconds in which a server answers.
ANSWER_S = 90.0
#: How the connections of the checks call themselves; all others are a server's.
OBSERVER = "agentpane observer"
Command = tuple[str, dict[str, Any]]


class Stage(Struct, frozen=True):
    """What lives share: a loop and a database for the checks, a repository to copy, and where servers come from."""

    loop: asyncio.AbstractEventLoop
    database_url: str
    template: Path
    folder: Path
    nursery: Nursery
    log: Path
    observer: asyncpg.Connection

    def run(self, coroutine: Any) -> Any:
        """Ask the database from outside of every server."""
        return self.loop.run_until_complete(coroutine)


class Queued(Struct, frozen=True):
    """A message that nobody has read."""

    id: str
    session_id: str


class Sight(Struct, frozen=True):
    """What the database says at one moment."""

    tasks: list[TaskRow]
    agents: list[AgentRow]
    runs: list[RunRow]
    worktrees: list[WorktreeRow]
    messages: list[Queued]
    #: The open sessions that belong to no task.
    standalone: list[Standalone]

    @property
    def at_work(self) -> list[RunRow]:
        """The runs whose program is up."""
        return [run for run in self.runs if run.status == "running"]

    def worktree_of(self, run: RunRow) -> Path | None:
        """Where a run works, once that is there."""
        agent = next((agent for agent in self.agents if agent.id == run.agent_id), None)
        return next((each.root for each in self.worktrees if agent and each.id == agent.current_worktree_id), None)


class World:
    """One repository and its server, which may go away and come again."""

    def __init__(self, stage: Stage, max_agents: int) -> None:
        self.stage = stage
        self.folder = stage.folder / f"life-{time.monotonic_ns()}"
        self.root = self.folder / "wheelwright"
        shutil.copytree(stage.template, self.root, symlinks=True)
        self.ledger = Ledger(self.root)
        form = NewProject(path=str(self.root), max_concurrent_agents=max_agents)
        self.project: ProjectRow = stage.run(create_project(form, MARA))
        self.ledger.forget_what_is_gone()
        self._settings = Settings(data_dir=self.folder / "data", database_url=stage.database_url, secret_key="s" * 32)
        self._start()

    def tell(self, *commands: Command, fault: Fault | None = None) -> tuple[Outcome, ...]:
        """Let the server carry out `commands` at the same moment; nothing comes back from one that crashed."""
        self.ledger.doubt()
        self._pipe.send(Order(commands, fault))
        was_cut = isinstance(fault, DatabaseCut)
        if isinstance(fault, DatabaseCut):
            time.sleep(fault.milliseconds / 1000)
            self.stage.run(_cut_connections())
        try:
            reply = self._reply()
        except EOFError:
            assert isinstance(fault, CrashAfter | CrashAfterTurns), f"the server died: {self._last_words()}"
            self._after_its_death()
            self._start()
            return ()
        _require_fine(reply, was_cut=was_cut, hung_up=isinstance(fault, HangsUp))
        return reply.outcomes

    def restart(self) -> None:
        """Stop the server in order, and start another."""
        self._stop()
        self._start()

    def look(self) -> Sight:
        """The database now."""
        return self.stage.run(_look(self.project.id))

    def check(self) -> None:
        """Everything that is true of every database, repository and machine, and of the work in this one."""
        check_facts(self.stage.run(look(self.stage.observer, at_rest=True)))
        assert not (lost := self.ledger.lost()), f"lost: {'; '.join(lost)}"
        assert not (moved := self.ledger.disturbed()), f"the user's own copy was changed: {'; '.join(moved)}"

    def close(self) -> None:
        """The end of this life: its server stops, and git finds nothing wrong."""
        self._stop()
        self.check()
        require_sound(self.root)

    def discard(self) -> None:
        """Leave nothing of it, dead or alive."""
        kill(self._pid)
        self._pipe.close()
        self.stage.run(_forget())
        shutil.rmtree(self.folder)

    def _start(self) -> None:
        self._pid, self._pipe = self.stage.nursery.fork(self._settings)
        try:
            _require_fine(self._reply())
        except EOFError:
            raise AssertionError(f"the server did not start: {self._last_words()}") from None

    def _stop(self) -> None:
        self.ledger.doubt()
        self._pipe.send(None)
        _require_fine(self._reply())
        self._after_its_death()

    def _after_its_death(self) -> None:
        self._pipe.close()
        _await_programs_of(self.folder)
        self.stage.run(_await_free_database())

    def _reply(self) -> Reply:
        if not self._pipe.poll(ANSWER_S):
            kill(self._pid)
            raise AssertionError(f"the server does not answer: {self._last_words()}")
        return self._pipe.recv()

    def _last_words(self) -> str:
        return self.stage.log.read_text()[-6000:]


def _require_fine(reply: Reply, was_cut: bool = False, hung_up: bool = False) -> None:
    failed = [outcome.failed for outcome in reply.outcomes if outcome.failed and not (was_cut and outcome.away)]
    assert not failed, f"a command failed:\n{failed[0]}"
    # Who hangs up in the middle of a transaction leaves it to the driver, which takes it back and says so.
    errors = [error for error in reply.errors if not (hung_up and "with an active transaction" in error)]
    assert not errors or was_cut, "the server logged an error:\n" + "\n".join(errors)


def _await_programs_of(folder: Path) -> None:
    """A git that a server had begun outlives it for a moment, as in real life."""
    deadline = time.monotonic() + 20
    while _programs_of(folder):
        assert time.monotonic() < deadline, f"programs of a dead server go on: {_programs_of(folder)}"
        time.sleep(0.002)


def _programs_of(folder: Path) -> list[str]:
    needle, found = os.fsencode(folder), []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if needle in line:
            found.append(os.fsdecode(line.replace(b"\0", b" ")))
    return found


async def _look(project_id: str) -> Sight:
    return Sight(
        tasks=await tasks_of(project_id),
        agents=await agents_of(project_id),
        runs=await live_runs(project_id),
        worktrees=await worktrees_of(project_id),
        messages=await rows(
            Queued, "SELECT id, session_id FROM session_messages WHERE delivered_at IS NULL ORDER BY created_at, id"
        ),
        standalone=await _open_standalone(),
    )


async def _open_standalone() -> list[Standalone]:
    class _Id(Struct):
        id: str

    query = (
        "SELECT s.id FROM standalone_sessions o JOIN sessions s ON s.id = o.session_id WHERE s.is_active"
        " ORDER BY s.created_at, s.id"
    )
    found = [await standalone(row.id) for row in await rows(_Id, query)]
    return [session for session in found if session is not None]


async def _cut_connections() -> None:
    await execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name <> $1",
        OBSERVER,
    )


async def _await_free_database() -> None:
    while await scalar("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"):
        await asyncio.sleep(0.005)


async def _forget() -> None:
    await execute("DELETE FROM projects")
