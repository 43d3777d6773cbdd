"""Shared fixtures: one real PostgreSQL for the whole run, and on it a project, a browser, and the engine."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from litestar import Litestar

from app.asgi import create_app
from app.events.fanout import Fanout
from app.events.recording import CHANNEL, Actor
from app.postgres import migrations, pool
from app.postgres.listening import Listener
from app.postgres.reading import execute, scalar
from app.processes.sandbox import available
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.projects.rows import ProjectRow
from app.runners.registry import RUNNERS
from app.runs.engine import Engine
from app.settings import Settings
from tests.databases import fresh_database, served
from tests.git.repositories import make_repository
from tests.visitor import Visitor
from tests.workshop import Workshop

MARA = Actor("person", "Mara Lindqvist")
HOST = "127.0.0.1:8000"


#: The longest files, which two processes take first: a long one that began last would be waited for alone.
LONGEST = ("lifecycles", "chaos", "e2e", "reviews")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, all others as they were found."""
    folders = {item: item.path.parent.name for item in items}
    items.sort(key=lambda item: LONGEST.index(folders[item]) if folders[item] in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
async def database_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """An empty database of this run's own: on the server that DATABASE_URL names, else on an embedded one."""
    given = os.environ.get("DATABASE_URL")
    if given:
        async with fresh_database(given) as url:
            yield url
        return
    async with served(Path(tmp_path_factory.mktemp("server")) / "postgres") as server:
        yield server.url


@pytest.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[str]:
    """The database migrated, and the pool of the one engine connected to it; gives its URL."""
    await migrations.migrate(database_url)
    await pool.connect(database_url)
    await _without_waiting_for_the_disk(database_url)
    yield database_url
    await pool.disconnect()


async def _without_waiting_for_the_disk(url: str) -> None:
    """Commits of connections from now on are not flushed: no test pulls this machine's plug."""
    name = await scalar("SELECT current_database()")
    await execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    await pool.disconnect()
    await pool.connect(url)


@pytest.fixture
async def empty_database(database_url: str) -> AsyncIterator[str]:
    """An empty database that the one engine may be pointed at; what it was connected to before comes back after."""
    before = pool.engine().config["dsn"] if pool.engine().pool else None
    await pool.disconnect()
    async with fresh_database(database_url) as url:
        yield url
        await pool.disconnect()
    if before:
        await pool.connect(before)


@pytest.fixture(autouse=True)
async def _no_projects_left(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Each test begins without projects: everything else goes with its project."""
    uses_database = "database" in request.fixturenames
    yield
    if uses_database:
        await execute("DELETE FROM projects")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit on main."""
    return make_repository(tmp_path / "wheelwright")


@pytest.fixture
async def project(database: str, repository: Path) -> ProjectRow:
    """The project `wheelwright`, made by Mara."""
    return await create_project(NewProject(path=str(repository)), MARA)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Litestar:
    """The whole application; its lifespan does not run, the database is the one of the tests.

    Its agents have no sandbox, so that a test can talk with them by files; what a sandbox is, `walls` shows.
    """
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("data"), secret_key="s" * 32, sandbox="off"))


@pytest.fixture
def walls(app: Litestar) -> Iterator[None]:
    """From here on agents run in a sandbox. Needs bubblewrap, which `bin/test` installs where it can."""
    if available().why_not:
        pytest.skip(f"no sandbox can be had here: {available().why_not}")
    usual = app.state.settings
    app.state.settings = msgspec.structs.replace(usual, sandbox="required")
    yield
    app.state.settings = usual


@pytest.fixture
async def visitor(app: Litestar, database: str) -> AsyncIterator[Visitor]:
    """A browser before the application."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", timeout=30) as client:
        yield Visitor(client)


@pytest.fixture
async def engine(app: Litestar, database: str) -> AsyncIterator[Engine]:
    """The engine at work, woken by the events of the log."""
    usual, fanout = app.state.fanout, Fanout()
    app.state.fanout = fanout
    fanout.start()
    listener = Listener(database, CHANNEL, fanout.on_payload, fanout.on_reconnect)
    await listener.start()
    engine = Engine(app.state.settings, RUNNERS, fanout)
    engine.start()
    yield engine
    await engine.stop()
    await listener.stop()
    await fanout.stop()
    app.state.fanout = usual


@pytest.fixture
def workshop(engine: Engine, app: Litestar, project: ProjectRow, tmp_path: Path) -> Workshop:
    """The project with the engine at work on it."""
    return Workshop(app, project, tmp_path)
