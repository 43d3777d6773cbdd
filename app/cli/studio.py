"""`agentpane db studio`: Piccolo Admin over all tables, on this machine only, behind a password made for this once.

Who may sign in is kept in a temporary SQLite file, so that the studio adds nothing to the database it shows.
"""

import asyncio
import secrets
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import uvicorn

from app.cli.session import connected
from app.piccolo_app import APP_CONFIG

USERNAME = "agentpane"


def run(data_dir: Path | None, port: int) -> None:
    """Serve the studio until Ctrl-C."""
    try:
        import aiosqlite  # noqa: F401
        import piccolo_admin  # noqa: F401
    except ImportError:
        raise click.ClickException(
            "The studio needs the extra 'studio': install AgentPane as agentpane[studio]."
        ) from None
    asyncio.run(_serve(data_dir, port))


async def _serve(data_dir: Path | None, port: int) -> None:
    async with connected(data_dir):
        with TemporaryDirectory(prefix="agentpane-studio-") as folder:
            password = secrets.token_urlsafe(12)
            admin = await _admin(Path(folder) / "people.sqlite", password)
            await _Server(admin, port, password).serve()


async def _admin(people: Path, password: str) -> Any:
    from piccolo.apps.user.tables import BaseUser
    from piccolo.engine.sqlite import SQLiteEngine
    from piccolo_admin.endpoints import create_admin
    from piccolo_api.session_auth.tables import SessionsBase

    store = SQLiteEngine(path=str(people))

    class Person(BaseUser, tablename="studio_person", db=store):
        pass

    class Visit(SessionsBase, tablename="studio_visit", db=store):
        pass

    await Person.create_table()
    await Visit.create_table()
    await Person.create_user(USERNAME, password, active=True, admin=True, superuser=True)
    return create_admin(APP_CONFIG.table_classes, auth_table=Person, session_table=Visit, site_name="AgentPane studio")


class _Server(uvicorn.Server):
    def __init__(self, admin: Any, port: int, password: str) -> None:
        super().__init__(
            uvicorn.Config(admin, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=3)
        )
        self._password = password

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        click.echo(f"Studio ready: http://127.0.0.1:{port} (sign in as {USERNAME} with {self._password})")
