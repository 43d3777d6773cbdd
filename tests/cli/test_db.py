"""The database from the command line, while AgentPane runs and while it does not."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.databases import ask, served

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data of db")


@pytest.fixture
def db(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def command(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, "-m", "app", "db", *arguments, "--data-dir", str(data_dir)]
        answer = subprocess.run(whole, check=False, capture_output=True, text=True, timeout=60)
        assert answer.returncode == code, answer.stderr
        return answer

    return command


def test_migrate_applies_and_status_tells(db: Command) -> None:
    db("migrate")
    assert db("migrate").stdout == "Nothing to apply.\n"
    assert all(row["applied"] for row in json.loads(db("status", "--json").stdout))


async def test_url_is_where_the_running_server_answers(db: Command, data_dir: Path) -> None:
    async with served(data_dir / "postgres") as server:
        url = await asyncio.to_thread(db, "url")
        assert url.stdout.strip() == server.url
        assert await ask(url.stdout.strip(), "SELECT 1") == 1


async def test_check_prints_every_difference(db: Command, data_dir: Path) -> None:
    db("migrate")
    assert db("check").stdout == "The database is as expected.\n"
    async with served(data_dir / "postgres") as server:
        await ask(server.url, "CREATE TABLE stray (id integer)")
        answer = await asyncio.to_thread(db, "check", code=1)
        assert "not expected: column stray.id (integer)\nnot expected: table stray (table)\n" in answer.stderr
        await ask(server.url, "DROP TABLE stray")


def test_a_new_database_is_as_expected(db: Command) -> None:
    assert db("check", "--fresh").stdout == "The database is as expected.\n"


def test_a_database_that_is_away_is_one_sentence(db: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    for command in ("migrate", "status", "check"):
        answer = db(command, code=1)
        assert answer.stderr.startswith("The database cannot be reached: ")
        assert answer.stderr.count("\n") == 1


async def test_studio_shows_the_tables_to_who_has_the_password(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("piccolo_admin", reason="the extra 'studio' is not installed")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    studio = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "db", "studio", "--port", "0", "--data-dir", data_dir),
        stdout=asyncio.subprocess.PIPE,
    )
    assert studio.stdout
    line = (await asyncio.wait_for(studio.stdout.readline(), 60)).decode()
    ready = re.fullmatch(r"Studio ready: (http://127\.0\.0\.1:\d+) \(sign in as (\S+) with (\S+)\)\n", line)
    assert ready, line
    async with httpx.AsyncClient(base_url=ready[1]) as browser:
        assert (await browser.get("/api/tables/")).status_code == 401
        await browser.get("/")
        token = {"X-CSRFToken": browser.cookies["csrftoken"]}
        wrong = {"username": ready[2], "password": "guess"}
        assert (await browser.post("/public/login/", json=wrong, headers=token)).status_code == 401
        right = {"username": ready[2], "password": ready[3]}
        assert (await browser.post("/public/login/", json=right, headers=token)).is_success
        assert (await browser.get("/api/tables/")).status_code == 200
    studio.terminate()
    await asyncio.wait_for(studio.communicate(), 20)
