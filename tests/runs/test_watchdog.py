"""Programs that do not want to end, or say nothing any more: stop always works, and so does trying again."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from app.processes import trees
from app.runners.base import AgentEvent
from app.runs import engine, specifying
from app.runs.recording import Recorder
from app.runs.retrying import retry
from app.runs.rows import get_run
from app.runs.stopping import request_stop, stop_run
from app.tasks.rows import get_task
from tests.git.repositories import user
from tests.visitor import Visitor
from tests.workshop import MARA, Workshop

FORKS = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open("work.txt", "w").write("work")
for level in range(5):  # 32 processes, half of them in sessions of their own.
    if os.fork() == 0 and level % 2:
        os.setsid()
open("pid", "w").write(str(os.getpid()))
while True:
    if os.fork() == 0:
        time.sleep(0.2)
        os._exit(0)
    time.sleep(0.2)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
"""
STUBBORN = {
    "ignores TERM": "trap '' TERM; echo work > work.txt; echo $$ > pid; while :; do sleep 1; done",
    "closed its pipes": "echo work > work.txt; exec >&- 2>&-; echo $$ > pid; exec sleep 600",
    "stopped itself": "echo work > work.txt; echo $$ > pid; kill -STOP $$; echo never > never.txt",
    "stopped its child": "echo work > work.txt; tail -f /dev/null & echo $! > pid; kill -STOP $!; wait",
    "says more than anybody reads": "echo work > work.txt; echo $$ > pid; exec yes",
    "forks": FORKS,
}
#: Seconds within which a person who stops a run has its end.
STOPPED_S = 20.0


@pytest.mark.parametrize("how", STUBBORN)
async def test_stop_ends_a_program_that(workshop: Workshop, how: str) -> None:
    make = workshop.python_agent if how == "forks" else workshop.agent
    task = await workshop.task("Watch", agent=await make("bob", STUBBORN[how]))
    await workshop.file("*/pid")
    (run,) = await workshop.runs(task)
    assert trees.find_marked(run.id)
    began = time.monotonic()
    stopped = await stop_run(run, MARA)
    assert time.monotonic() - began < STOPPED_S
    assert (stopped.error_type, stopped.work_saved) == ("stopped", True)
    assert trees.find_marked(run.id) == []
    branch = (await get_task(task.id)).branch
    assert user(workshop.root, "show", f"{branch}:work.txt") == "work"
    assert "never.txt" not in user(workshop.root, "ls-tree", "--name-only", branch or "")


@pytest.fixture
def minutes_are_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of a project, sixty times as fast."""
    monkeypatch.setattr(specifying, "MINUTE_S", 1.0)


@pytest.mark.usefixtures("minutes_are_seconds")
class TestLimits:
    """What the project's settings say."""

    async def test_one_that_says_nothing_any_more_is_stalled_and_can_be_tried_again(
        self, workshop: Workshop, visitor: Visitor
    ) -> None:
        await workshop.configure(idle_timeout_minutes=2)
        script = "[ -e again ] && exit 0; touch again; echo work > work.txt; exec tail -f /dev/null"
        task = await workshop.until(await workshop.task("Watch", agent=await workshop.agent("bob", script)), "error")
        (run,) = await workshop.runs(task)
        assert (run.error_type, run.work_saved, trees.find_marked(run.id)) == ("stalled", True, [])
        for page in (f"/projects/{task.project_id}", f"/tasks/{task.id}", f"/sessions/{task.session_id}"):
            assert "stalled" in await visitor.page(page)
        await retry(run.agent_id, MARA)
        await workshop.until(task, "waiting_approval")

    async def test_one_that_takes_too_long_is_ended(self, workshop: Workshop) -> None:
        await workshop.configure(timeout_minutes=2)
        script = "echo work > work.txt; while :; do echo tick; sleep 0.1; done"
        task = await workshop.until(await workshop.task("Watch", agent=await workshop.agent("bob", script)), "error")
        (run,) = await workshop.runs(task)
        assert (run.error_type, run.work_saved) == ("timeout", True)


async def test_a_run_that_hangs_in_our_own_code_is_given_up(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(self: Recorder, batch: Sequence[AgentEvent], **_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Recorder, "write", hang)  # The fault is ours, so it is put there by hand.
    monkeypatch.setattr(engine, "HUNG_S", 1.0)
    monkeypatch.setattr(engine, "TICK_S", 0.2)
    script = "echo work > work.txt; echo $$ > pid; trap '' TERM; exec yes"
    task = await workshop.task("Watch", agent=await workshop.agent("bob", script))
    pid = int((await workshop.file("*/pid")).read_text())
    (run,) = await workshop.runs(task)
    await request_stop(run, MARA)
    await workshop.until(task, "error")
    ended = await get_run(run.id)
    assert (ended.error_type, ended.work_saved) == ("stopped", True)
    assert "given up" in (ended.error or "")
    assert not trees.is_alive(pid, None)
    assert trees.find_marked(run.id) == []
