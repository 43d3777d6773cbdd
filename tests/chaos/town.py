"""A server with a project, people who work on it, browsers that watch, and somebody who kills."""

import asyncio
import os
import random
import shlex
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import httpx
import psutil

from app.postgres.cluster import Cluster
from app.processes import trees
from tests.chaos.listening import Audience
from tests.chaos.people import Person, notes_of
from tests.chaos.phases import AIMS, phases
from tests.e2e.server import Server
from tests.git.repositories import user
from tests.invariants import Heard, Witness, check_all
from tests.visitor import Visitor

AGENT = Path(__file__).with_name("agent.sh")
FILES = {"README.md": "# Wheelwright\n", "setup.sh": "sleep 0.1\n", ".gitignore": ".env\n"}
PEOPLE = ("Mara", "Noah")
#: Tasks that agents have done before anybody decides or kills, so that merges are among what is killed.
TO_DECIDE = 5
#: Seconds to wait for the moment that a kill is aimed at, before any other will do; and within which all must be well.
AIM_S = 20.0
PATIENCE_S = 90.0

_SITUATION = (
    'SELECT id, "column", agent_id, worktree_id, metadata FROM tasks',
    "SELECT id, name, status, current_task_id, last_error FROM agents",
    "SELECT id, status, task_id, started_at FROM agent_runs WHERE completed_at IS NULL",
    "SELECT id, status, last_error FROM worktrees WHERE status <> 'removed'",
    "SELECT kind, status, created_at FROM merges WHERE status IN ('prepared', 'advancing')",
)


class Town:
    """One project that grows over many kills."""

    def __init__(self, server: Server, root: Path, notes: Path, seed: int, given_url: str | None) -> None:
        self.server = server
        self.notes = notes
        self.dice = random.Random(seed)
        self.seed = seed
        self.witness = Witness(root)
        self.heard = Heard()
        self.seen: Counter[str] = Counter()
        self.kills = 0
        self._given_url = given_url
        self._people: list[Person] = []
        self._audience: Audience | None = None

    @property
    def url(self) -> str:
        """The database."""
        cluster = Cluster(self.server.data_dir / "postgres")
        return self._given_url or cluster.url(cluster.last_port)

    async def found(self) -> None:
        """Make the project and its agents, on the pages for that."""
        async with httpx.AsyncClient(base_url=self.server.url, timeout=60) as http:
            visitor = Visitor(http)
            made = await visitor.send("/projects/new", "/projects", path=str(self.witness.root))
            project = made.headers["location"].rsplit("/", 1)[1]
            settings = f"/projects/{project}/settings"
            wanted = {"init_script": "setup.sh", "env_file": ".env", "sandbox_writable": str(self.notes)}
            await visitor.send(settings, settings, max_concurrent_agents="3", **wanted)
            agents = f"/projects/{project}/agents"
            command = shlex.join([str(AGENT), str(self.notes)])
            for name in ("ann", "ben", "cem", "dan"):
                assert (await visitor.send(agents, agents, name=name, runner="command", command=command)).is_redirect
        self._people = [Person(name, self.seed, project, self.witness) for name in PEOPLE]
        self._audience = Audience(project, self.heard)
        await self._begin_with_something_to_decide()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """People work and browsers watch; the death of their server they survive, and nothing else that is wrong."""
        jobs = [self._works(person) for person in self._people]
        tasks = [asyncio.create_task(job) for job in (*jobs, self._watch(), self._open_sessions())]
        try:
            yield
            for task in tasks:
                if task.done():
                    await task
        finally:
            for task in tasks:
                task.cancel()
            for ended in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended

    async def aim(self) -> None:
        """Wait for the next moment that is wanted, and a little longer, as the dice fall."""
        aim = AIMS[self.kills % len(AIMS)]
        deadline = time.monotonic() + AIM_S
        await asyncio.sleep(self.dice.uniform(0, 0.5))
        async with self.connection() as connection:
            now = await phases(connection)
            while aim not in now and aim != "any" and time.monotonic() < deadline:
                await asyncio.sleep(0.002)
                now = await phases(connection)
        await asyncio.sleep(self.dice.choice([0, self.dice.uniform(0, 0.05)]))
        self.seen.update(now)
        self.kills += 1

    async def kill_server(self) -> None:
        """`kill -9`, then the next start."""
        await self.server.kill()
        await self.server.start()

    async def kill_agent(self) -> None:
        """`kill -9` of a program that runs for an agent, or of its guard; its run ends, and the server goes on."""
        run, pid = await self._victim()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        async with self.connection() as connection:
            await self.once(lambda: connection.fetchval(
                "SELECT completed_at IS NOT NULL FROM agent_runs WHERE id = $1", run), f"run {run} ended")  # fmt: skip

    async def kill_database(self) -> None:
        """`kill -9` of the postmaster; the server gets a new one by itself."""
        postmaster = Cluster(self.server.data_dir / "postgres").postmaster()
        assert postmaster is not None
        os.kill(postmaster.pid, signal.SIGKILL)
        async with httpx.AsyncClient(base_url=self.server.url, timeout=60) as http:
            await self.once(lambda: _is_ready(http, postmaster.pid, self), "the database came back")

    async def check(self) -> None:
        """Everything that is true of every moment."""
        assert self.server.is_running, self.server.log.read_text()[-5000:]
        for content, name in notes_of(self.notes):
            self.witness.wrote(content, name)
        await check_all(self.url, [self.witness], self.heard)
        assert (strays := await self._strays()) == [], f"processes of runs that nobody knows: {strays}"

    async def rest(self) -> None:
        """Without new work, all that was begun comes to its end by itself; and the checkout is as its branch."""
        async with self.connection() as connection:
            await self.once(lambda: _is_at_rest(connection), "all came to rest")
        await self.check()
        for line in user(self.witness.root, "status", "--porcelain").splitlines():
            assert line[3:].startswith(PEOPLE), f"the checkout is not what its branch says: {line}"

    async def once(self, look: Callable[[], Coroutine[None, None, object]], what: str) -> None:
        """Wait until `look` finds something."""
        deadline = time.monotonic() + PATIENCE_S
        while not await look():
            assert time.monotonic() < deadline, f"never: {what}\n{await self._situation()}"
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of its own to the database."""
        connection = await asyncpg.connect(self.url, timeout=10)
        try:
            yield connection
        finally:
            connection.terminate()

    def told(self) -> str:
        """What happened, for a person to read."""
        answers = sum((person.answers for person in self._people), Counter())
        return (
            f"seed {self.seed}: {self.kills} kills; at work then: {dict(self.seen.most_common())}; "
            f"{self.heard.count} frames heard, {len(self.witness.files)} files and {len(self.witness.commits)} commits "
            f"kept; answers: {dict(answers.most_common())}"
        )

    async def _begin_with_something_to_decide(self) -> None:
        person = self._people[0]
        async with person.online(self.server.url):
            for _ in range(TO_DECIDE):
                await person.adds_task()
        async with self.connection() as connection:
            await self.once(lambda: _is_at_rest(connection), "the first tasks were done")

    async def _situation(self) -> str:
        """What the people, the database and the log say, for whoever looks for what never came."""
        people = [f"{person.name}: {person.doing}" for person in self._people]
        async with self.connection() as connection:
            rows = [str(dict(row)) for query in _SITUATION for row in await connection.fetch(query)]
        return "\n".join([*people, *rows, self.server.log.read_text()[-3000:]])

    async def _watch(self) -> None:
        assert self._audience is not None
        async with httpx.AsyncClient(base_url=self.server.url, timeout=httpx.Timeout(60, read=None)) as http:
            await self._audience.follow(http)

    async def _open_sessions(self) -> None:
        assert self._audience is not None
        while True:
            for session in (session for person in self._people for session in person.sessions):
                self._audience.watch(session)
            await asyncio.sleep(0.05)

    async def _works(self, person: Person) -> None:
        """A person whose line is cut goes on as soon as the server is there again."""
        while self.server.is_running:
            with suppress(httpx.TransportError):
                await person.works(self.server.url)
            await asyncio.sleep(0.05)

    async def _victim(self) -> tuple[str, int]:
        """A live run, and its guard or its program; waited for."""
        found: list[tuple[str, int]] = []
        async with self.connection() as connection:

            async def look() -> bool:
                marked = trees.marked_runs()
                live = await connection.fetch("SELECT id FROM agent_runs WHERE completed_at IS NULL ORDER BY id")
                found.extend((row["id"], pid) for row in live for pid in marked.get(row["id"], []) if _is_agent(pid))
                return bool(found)

            await self.once(look, "an agent was at work")
        return self.dice.choice(found)

    async def _strays(self) -> list[int]:
        """Processes that run in our worktrees with the mark of a run that has ended, or of nothing that goes on.

        A set-up step and a check have marks of their own, and end with the server that began them.
        """
        async with self.connection() as connection:
            runs = await connection.fetch("SELECT id, completed_at IS NULL AS is_live FROM agent_runs")
        live = {row["id"] for row in runs if row["is_live"]}
        ended = {row["id"] for row in runs} - live
        return [
            pid
            for mark, pids in trees.marked_runs().items()
            for pid in pids
            if mark not in live and str(self.witness.root).encode() in _environment(pid) and trees.is_alive(pid, None)
            if mark in ended or not self._is_of_the_server(pid)
        ]

    def _is_of_the_server(self, pid: int) -> bool:
        assert self.server.process is not None
        try:
            return self.server.process.pid in {parent.pid for parent in psutil.Process(pid).parents()}
        except psutil.NoSuchProcess:
            return True  # It has ended meanwhile.


async def _is_ready(http: httpx.AsyncClient, old: int, town: Town) -> bool:
    postmaster = Cluster(town.server.data_dir / "postgres").postmaster()
    return (await http.get("/readyz")).status_code == 200 and postmaster is not None and postmaster.pid != old


async def _is_at_rest(connection: asyncpg.Connection) -> bool:
    """No run goes on, none could begin, and nothing is half made, half merged or half removed."""
    moving = await connection.fetchval(
        "SELECT (SELECT count(*) FROM agent_runs WHERE completed_at IS NULL)"
        " + (SELECT count(*) FROM worktrees WHERE status IN ('creating', 'merging', 'removing'))"
        " + (SELECT count(*) FROM merges WHERE status IN ('prepared', 'advancing'))"
    )
    could_begin = await connection.fetchval(
        """SELECT count(*) FROM tasks t WHERE "column" = 'in_progress' AND agent_id IS NULL AND EXISTS ("""
        " SELECT 1 FROM agents a WHERE a.status IN ('idle', 'completed')"
        " AND a.id = coalesce(t.metadata ->> 'wantedAgentId', a.id))"
    )
    return not moving and not could_begin


def _is_agent(pid: int) -> bool:
    """Whether it is the program of a run, or the guard of one; not what a program started."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return AGENT.name.encode() in command or b"guard.py" in command


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
