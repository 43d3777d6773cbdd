"""A real browser before the whole program."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright

from tests.conftest import fresh_database
from tests.e2e.server import Server
from tests.git.repositories import make_repository
from tests.scripted_model.fixture import *  # noqa: F403

PICTURES = Path(__file__).parent / "pictures"
#: Chromium looks for its maker's hosts unless told not to; as root it has no sandbox.
ARGUMENTS = [
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]  # fmt: skip


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium: the one that AGENTPANE_CHROMIUM names, else one on the PATH, else Playwright's own."""
    program = os.environ.get("AGENTPANE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def new_context(browser: Browser) -> AsyncIterator[Callable[..., Awaitable[BrowserContext]]]:
    """A browser window of its own for each person; every page must stay free of script errors."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    async def make(**options: object) -> BrowserContext:
        context = await browser.new_context(viewport={"width": 1440, "height": 900}, **options)
        context.set_default_timeout(20_000)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        await context.close()
    assert errors == []


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Start the program; whatever a test started is stopped at its end."""
    servers: list[Server] = []
    async with AsyncExitStack() as databases:

        async def start(module: str = "app", **env: str) -> Server:
            if given := os.environ.get("DATABASE_URL"):
                env["DATABASE_URL"] = await databases.enter_async_context(fresh_database(given))
            server = Server(tmp_path / f"server{len(servers)}", env, module=module)
            servers.append(server)
            return await server.start()

        yield start
        for server in servers:
            if server.is_running:
                assert await server.stop() == 0


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A person's repository with one commit on main."""
    return make_repository(tmp_path / "wheelwright", {"README.md": "# Wheelwright\n", "src/wheel.py": "spokes = 8\n"})


@pytest.fixture
def pictures() -> Path:
    """Where pictures go, for a person to look at and for the documentation."""
    PICTURES.mkdir(exist_ok=True)
    return PICTURES
