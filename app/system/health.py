"""What AgentPane needs of this machine and what it finds: the one place for `agentpane doctor` and its page."""

import asyncio
import os
import shutil
from collections.abc import Awaitable
from pathlib import Path
from typing import Literal

from msgspec import Struct

from app.agents.programs import offers_in
from app.agents.views import Offer
from app.git.refusals import GitRefused
from app.git.running import require_git
from app.postgres.binaries import find_binaries, major_version
from app.postgres.cluster import Cluster
from app.postgres.connection import connect
from app.postgres.errors import ERRORS, PostgresError
from app.postgres.migrations import pending
from app.postgres.opening import server
from app.postgres.reading import scalar
from app.processes.sandbox import available
from app.runners.presets.versions import PATIENCE_S
from app.settings import Settings
from app.web.formats import size

#: Bytes of free space below which worktrees and the database are soon in trouble.
LITTLE_SPACE = 2 * 1000**3


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was looked at. Only what is `missing` keeps AgentPane from working."""

    name: str
    state: Literal["ok", "warning", "missing"]
    text: str


class Health(Struct, frozen=True, kw_only=True):
    """Everything that was looked at."""

    checks: tuple[Check, ...]
    programs: tuple[Offer, ...]

    @property
    def is_complete(self) -> bool:
        """Whether nothing that is needed is missing."""
        return all(check.state != "missing" for check in self.checks)


async def examine(settings: Settings, database: Awaitable[Check], patience_s: float = PATIENCE_S) -> Health:
    """Look at everything at once; `database` is looked at as the caller can, versions are waited for so long."""
    offers_found = offers_in(settings.agent_environment, patience_s)
    git, data, sandbox, offers = await asyncio.gather(
        _git(), database, asyncio.to_thread(_sandbox, settings), offers_found
    )
    checks = (git, data, _data_folder(settings.data_dir), sandbox, _programs(offers))
    return Health(checks=checks, programs=offers)


async def own_database() -> Check:
    """The database that this server is connected to."""
    try:
        version = await scalar("SHOW server_version")
    except (*ERRORS, PostgresError) as error:
        return _missing("Database", f"It does not answer: {error}")
    return _ok("Database", f"PostgreSQL {version} answers")


async def database_from_outside(settings: Settings) -> Check:
    """The database of these settings, started for a moment if it is the embedded one and there; nothing is made."""
    folder = settings.data_dir / "postgres"
    try:
        if not settings.database_url and not Cluster(folder).data.exists():
            programs = await asyncio.to_thread(find_binaries)
            return _ok("Database", f"PostgreSQL {major_version(programs)}; the first start makes it")
        async with server(settings.database_url, folder) as url:
            connection = await connect(url)
            try:
                version = await connection.fetchval("SHOW server_version")
            finally:
                await connection.close(timeout=5)
            waiting = len(await pending(url))
    except (*ERRORS, PostgresError) as error:
        return _missing("Database", str(error))
    rest = f"; the next start applies migrations: {waiting}" if waiting else ""
    return _ok("Database", f"PostgreSQL {version} answers{rest}")


async def _git() -> Check:
    try:
        major, minor = await require_git()
    except GitRefused as refusal:
        return _missing("git", str(refusal))
    return _ok("git", f"{major}.{minor}")


def _data_folder(folder: Path) -> Check:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return _missing(
            "Data folder", f"{there} cannot be written to by this user: choose one with AGENTPANE_DATA_DIR."
        )
    free = shutil.disk_usage(there).free
    text = f"{folder}, {size(free)} free" + ("" if folder.exists() else "; the first start makes it")
    return Check(name="Data folder", state="ok" if free >= LITTLE_SPACE else "warning", text=text)


def _sandbox(settings: Settings) -> Check:
    if settings.sandbox == "off":
        return Check(
            name="Sandbox", state="warning", text="AGENTPANE_SANDBOX turns it off: agents can do what you can."
        )
    found = available()
    if found.program:
        return _ok("Sandbox", f"bubblewrap works ({found.program})")
    if settings.sandbox == "required":
        return _missing("Sandbox", f"AGENTPANE_SANDBOX demands one: {found.why_not}.")
    text = f"{found.why_not}: agents can do what you can. To have one: apt-get install bubblewrap"
    return Check(name="Sandbox", state="warning", text=text)


def _programs(offers: tuple[Offer, ...]) -> Check:
    found = [offer for offer in offers if offer.is_installed]
    ready = sum(offer.is_signed_in for offer in found)
    if ready:
        return _ok("Agent programs", f"{ready} of {len(offers)} ways are ready")
    text = "found, but none has a key or a sign-in" if found else "none of those that are known was found"
    return Check(name="Agent programs", state="warning", text=text)


def _ok(name: str, text: str) -> Check:
    return Check(name=name, state="ok", text=text)


def _missing(name: str, text: str) -> Check:
    return Check(name=name, state="missing", text=text)
