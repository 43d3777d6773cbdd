"""Two seconds after a stop no process of a run is left: for each runner, by button, by a budget, by the end of the
server, by `kill -9`. Each has a tool that really runs, with a child in a session of its own."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from app.budgets.words import WORDS
from app.processes import trees
from app.web.csrf import FIELD
from tests.e2e.server import Server
from tests.e2e.workers import Worker, over_acp, put_to_work, script, worktree_of
from tests.processes.outside import outside
from tests.scripted_model import ScriptedModel
from tests.visitor import Visitor, forms_of

#: Seconds after which nothing may be left.
GONE_S = 2.0
LOOK_S = 0.02
#: As the page of budgets tells of a run that a limit has ended.
_ENDED = rf'/runs/{{run}}">[^<]*</a></td><td>{WORDS["stopped"]}'
FOREVER = "setsid tail -f /dev/null & echo $! > child.pid; echo $$ > tool.pid; tail -f /dev/null"
#: Does not end when it is asked to, and neither does its child.
STUBBORN = """
trap '' TERM
setsid sh -c 'trap "" TERM; while :; do sleep 0.2; done' & echo $! > child.pid
echo $$ > tool.pid
while :; do sleep 0.2; done
"""


def workers(folder: Path) -> dict[str, Worker]:
    return {
        "Claude SDK": Worker(runner="claude"),
        "Over ACP": over_acp("hangs"),
        "A script": script(folder, "forever", FOREVER),
        "Deaf": script(folder, "deaf", STUBBORN),
    }


@pytest.mark.parametrize("how", ["by button", "by the end of the server", "by kill -9"])
async def test_nothing_of_a_run_is_left(
    serve: Callable[..., Awaitable[Server]],
    scripted_model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
    how: str,
) -> None:
    server = await serve(**scripted_model.env)
    assert server.process is not None
    all_of_them = workers(tmp_path)
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        mara = Visitor(http)
        _, agents = await put_to_work(mara, repository, all_of_them, "SCENARIO:forever")
        runs = [await at_work(repository, name) for name in all_of_them]
        pids = {pid for run in runs for pid in trees.find_marked(run)}
        assert len(pids) >= 4 * len(runs), "a guard, its program, a tool and its child each"

        board = await mara.page("/")
        token = next(form.fields[FIELD] for form in forms_of(board) if FIELD in form.fields)
        orders = {
            "by button": lambda: [
                http.post(f"/agents/{agent}/stop", data={FIELD: token}, headers={"referer": server.url})
                for agent in agents.values()
            ],
            "by the end of the server": lambda: [server.stop()],
            "by kill -9": lambda: [server.kill()],
        }
        stopping = asyncio.gather(*orders[how]())
        await gone(pids)
        answers = await stopping
        assert how != "by button" or [answer.status_code for answer in answers] == [303] * len(runs)
        assert {run: trees.find_marked(run) for run in runs} == {run: [] for run in runs}


async def test_nothing_of_a_run_is_left_that_its_budget_ends(
    serve: Callable[..., Awaitable[Server]], scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    later = tmp_path / "later"
    later.write_text("0")
    server = await serve(module="tests.e2e.later", LATER=str(later), **scripted_model.env)
    all_of_them = workers(tmp_path)
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        mara = Visitor(http)
        board, _ = await put_to_work(mara, repository, all_of_them, "SCENARIO:forever")
        left = {await at_work(repository, name) for name in all_of_them}
        page = f"{board}/budgets"
        assert (await mara.send(page, page, day_minutes="8", day_action="stop")).status_code == 303
        assert all(trees.find_marked(run) for run in left)

        # Four runs that each take three minutes more.
        later.write_text(str(3 * 60))
        async with asyncio.timeout(60):
            while left:
                reached = await mara.page(page)
                ended = {run for run in left if re.search(_ENDED.format(run=run), reached)}
                await asyncio.gather(*(gone(set(trees.find_marked(run))) for run in ended))
                left -= ended


async def gone(pids: set[int]) -> None:
    """Return when these have ended, which they must in time; for how long the machine held us up does not count."""
    began, late = time.monotonic(), 0.0
    while left := {pid for pid in pids if trees.is_alive(pid, None)}:
        looked = time.monotonic()
        assert looked - began - late < GONE_S, [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left]
        await asyncio.sleep(LOOK_S)
        late += time.monotonic() - looked - LOOK_S


async def at_work(repository: Path, name: str) -> str:
    """The id of a run, once its tool and the child of that are seen to live."""
    async with asyncio.timeout(60):
        while not (files := pid_files(repository, name)):
            await asyncio.sleep(0.05)
    pids = [outside(int(file.read_text()), file.parent) for file in files]
    assert all(trees.is_alive(pid, None) for pid in pids)
    marks = {_marker_of(pid) for pid in pids}
    assert len(marks) == 1
    return marks.pop()


def pid_files(repository: Path, name: str) -> list[Path]:
    """Where a tool and its child wrote who they are, once both have."""
    if not list((repository / ".worktrees").glob(f"*{name.lower().replace(' ', '-')}*")):
        return []
    files = [worktree_of(repository, name) / file for file in ("tool.pid", "child.pid")]
    return files if all(file.exists() and file.read_text().strip() for file in files) else []


def _marker_of(pid: int) -> str:
    entries = Path(f"/proc/{pid}/environ").read_text(errors="replace").split("\0")
    return next(entry.partition("=")[2] for entry in entries if entry.startswith("AGENTPANE_RUN_ID="))
