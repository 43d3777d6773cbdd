"""An agent of a real server tries to get at that server: its data, its database's password, its environment, itself."""

import asyncio
import json
import re
import shlex
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from app.processes.sandbox import available
from tests.e2e.server import Server
from tests.git.repositories import user
from tests.runs import escapes
from tests.visitor import Visitor

PROGRAM = Path(escapes.__file__)
PLANTING = Path(__file__).with_name("planting.py")
ATTEMPTS = (
    "read the data folder", "read the secret", "read the database's password", "read the data folder through a link",
    "read the password through a link", "read the data folder through /proc", "read the server's environment",
    "read the server's memory", "find the server in /proc", "signal the server", "end the server", "trace the server",
    "remount /usr", "remount the root", "remount /usr in namespaces of its own", "write into the project's own copy",
    "write a hook", "move main by git", "write into /usr",
)  # fmt: skip


@pytest.mark.skipif(bool(available().why_not), reason=f"no sandbox here: {available().why_not}")
async def test_a_server_and_its_database_are_out_of_reach(
    serve: Callable[..., Awaitable[Server]], repository: Path
) -> None:
    server = await serve(SECRET_OF_THE_SERVER="s3cret", AGENTPANE_SANDBOX="required")
    assert server.process is not None
    password = server.data_dir / "postgres" / "password"
    if not password.exists():
        pytest.skip("the database of this test run is not the embedded one")
    assert b"s3cret" in Path(f"/proc/{server.process.pid}/environ").read_bytes()
    aims = {
        "project": str(repository), "data": str(server.data_dir), "server": server.process.pid, "branch": "none",
        "other": str(repository), "git": str(repository / ".git"),
    }  # fmt: skip
    command = shlex.join([sys.executable, str(PROGRAM), json.dumps(aims), *ATTEMPTS])
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        mara = Visitor(http)
        made = await mara.send("/projects/new", "/projects", path=str(repository))
        board = made.headers["location"]
        await mara.send(f"{board}/agents", f"{board}/agents", name="escaper", runner="command", command=command)
        await mara.send(board, f"{board}/tasks", title="Escape", start="true")
        async with asyncio.timeout(60):
            while 'data-stage="review"' not in (page := await mara.page(board)):
                await asyncio.sleep(0.1)
        task = page.partition('data-task-id="')[2].partition('"')[0]
        session = re.findall("/sessions/([a-z0-9]{24})", await mara.page(f"/tasks/{task}"))[0]
        record = (await http.get(f"/sessions/{session}/export.md")).text
        outcomes = dict(line.split("\t", 1) for line in record.splitlines() if "\t" in line)
        assert [name for name in outcomes if name in ATTEMPTS] == list(ATTEMPTS), record
        assert {name: said for name, said in outcomes.items() if not said.startswith("refused")} == {}
        assert password.read_text().strip() not in record
        assert (await http.get("/readyz")).status_code == 200
    assert user(repository, "status", "--porcelain") == ""


async def test_an_agent_cannot_be_a_visitor_and_decide(
    serve: Callable[..., Awaitable[Server]], repository: Path
) -> None:
    server = await serve(AGENTPANE_BASE_URL="http://127.0.0.1:1")  # As behind a proxy, whose word on addresses counts.
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        mara = Visitor(http)
        made = await mara.send("/projects/new", "/projects", path=str(repository))
        board = made.headers["location"]
        project = board.rsplit("/", 1)[1]
        command = shlex.join([sys.executable, str(PLANTING), server.url, project])
        await mara.send(f"{board}/agents", f"{board}/agents", name="planter", runner="command", command=command)
        await mara.send(board, f"{board}/tasks", title="Plant", start="true")
        async with asyncio.timeout(60):
            while 'data-stage="review"' not in (page := await mara.page(board)):
                await asyncio.sleep(0.1)
        task = page.partition('data-task-id="')[2].partition('"')[0]
        session = re.findall("/sessions/([a-z0-9]{24})", await mara.page(f"/tasks/{task}"))[0]
        record = (await http.get(f"/sessions/{session}/export.md")).text
        assert "honest: HTTP/1.1 403 Forbidden" in record
        assert "another address: HTTP/1.1 403 Forbidden" in record
        assert "hidden: tried" in record
        assert "Planted" not in await mara.page(board)

        # The same program, started by a person, is a visitor like any other.
        plain = await asyncio.create_subprocess_exec(
            sys.executable, str(PLANTING), server.url, project, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await asyncio.wait_for(plain.communicate(), 60)
        assert b"honest: HTTP/1.1 303" in out
        assert "Planted honestly" in await mara.page(board)
