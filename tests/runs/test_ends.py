"""Every way a run can end: one reason, the work committed, no process left, and a card that says what can be done."""

from pathlib import Path

import psutil
import pytest

from app.agents.rows import get_agent
from app.git.refs import current_branch
from app.postgres.reading import execute, scalar
from app.processes import trees
from app.projects.rows import ProjectRow
from app.runners.base import Message
from app.runs.retrying import retry
from app.runs.rows import RunRow, get_run
from app.runs.stopping import stop_run
from app.sessions.rows import get_session
from app.tasks.rows import TaskRow, get_task
from app.worktrees.rows import get_worktree, steps_of
from tests.git.repositories import commit, user
from tests.work import add_agent, begin, end, say
from tests.workshop import MARA, Workshop

SLEEP = "echo $$ > pid; echo work > work.txt; exec tail -f /dev/null"


async def only_run(workshop: Workshop, task: TaskRow) -> RunRow:
    (run,) = await workshop.runs(task)
    assert trees.find_marked(run.id) == []
    return run


async def failed(workshop: Workshop, task: TaskRow, error_type: str) -> RunRow:
    """The one run of a task that ended in an error of this type, with agent and card saying so."""
    task = await workshop.until(task, "error")
    run = await only_run(workshop, task)
    assert (run.status, run.error_type, run.is_live) == ("error", error_type, False)
    assert run.error
    agent = await get_agent(run.agent_id)
    assert (agent.status, agent.current_task_id, agent.last_error) == ("error", task.id, run.error)
    assert (agent.total_tasks, agent.completed_tasks, agent.failed_tasks) == (1, 0, 1)
    assert task.column == "in_progress"
    return run


async def test_success(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", "echo 'Counted: eight.'; echo eight > spokes.txt")
    task = await workshop.until(await workshop.task("Count", agent=bob), "waiting_approval")
    run = await only_run(workshop, task)
    assert (run.status, run.error_type, run.result) == ("completed", None, "Counted: eight.")
    assert run.duration == int((run.completed_at - run.started_at).total_seconds() * 1000)
    assert (task.diff_summary, task.files_changed, task.lines_added, task.lines_removed) == ("1 file, +1 −0", 1, 1, 0)
    worktree = await get_worktree(task.worktree_id)
    assert user(worktree.root, "status", "--porcelain") == ""
    assert user(worktree.root, "log", "-1", "--format=%an: %s", task.branch) == "bob: Count"
    agent = await get_agent(bob.id)
    assert (agent.status, agent.current_task_id, agent.completed_tasks) == ("completed", None, 1)


async def test_what_the_agent_committed_itself_stays_its_own(workshop: Workshop) -> None:
    script = "git config user.name Bob; git config user.email b@example.org; echo 8 > a; git add a; git commit -qm Mine"
    task = await workshop.done("Count", script)
    assert user(workshop.root, "log", "-1", "--format=%an %s", task.branch) == "Bob Mine"


async def test_an_agent_that_left_its_branch_is_brought_back(workshop: Workshop) -> None:
    task = await workshop.done("Count", "git checkout -q --detach; echo 8 > spokes.txt")
    worktree = await get_worktree(task.worktree_id)
    assert await current_branch(worktree.root) == task.branch
    assert user(workshop.root, "show", f"{task.branch}:spokes.txt") == "8"


@pytest.mark.parametrize(
    ("script", "said"),
    [("echo work > w; echo broken >&2; exit 3", "exit code 3"), ("echo work > w; kill -9 $$", "SIGKILL")],
)
async def test_another_exit_code(workshop: Workshop, script: str, said: str) -> None:
    task = await workshop.task("Break", agent=await workshop.agent("bob", script))
    run = await failed(workshop, task, "process_exit")
    assert said in run.error
    if "broken" in script:
        assert "broken" in run.error
    # What it had done is kept and counted.
    assert run.work_saved
    assert user(workshop.root, "show", f"{(await get_task(task.id)).branch}:w") == "work"
    assert (await get_task(task.id)).files_changed == 1


@pytest.mark.parametrize("command", ["no-such-program-here", "./bin/not-in-this-repository", "/nowhere/at/all"])
async def test_a_program_that_is_missing(workshop: Workshop, command: str) -> None:
    task = await workshop.task("Run", agent=await workshop.agent("bob", command=command))
    run = await failed(workshop, task, "runner_missing")
    assert command.removeprefix("./") in run.error


async def test_one_that_never_ends_is_stopped_by_a_person(workshop: Workshop) -> None:
    task = await workshop.task("Watch", agent=await workshop.agent("bob", SLEEP))
    pid = int((await workshop.file("*/pid")).read_text())
    await workshop.until(task, "running")
    assert trees.is_alive(pid, None)
    run = (await workshop.runs(task))[0]
    stopped = await stop_run(run, MARA)
    assert not trees.is_alive(pid, None)
    assert (stopped.error_type, stopped.error) == ("stopped", "A person stopped the run.")
    await failed(workshop, task, "stopped")
    assert user(workshop.root, "show", f"{(await get_task(task.id)).branch}:work.txt") == "work"


async def test_children_are_ended_with_their_run(workshop: Workshop) -> None:
    script = "setsid tail -f /dev/null & echo $! > child.pid; tail -f /dev/null & echo $! > other.pid; exit 0"
    task = await workshop.done("Leave children", script)
    root = (await get_worktree(task.worktree_id)).root
    pids = [int((root / name).read_text()) for name in ("child.pid", "other.pid")]
    assert not [pid for pid in pids if trees.is_alive(pid, None)]
    await only_run(workshop, task)


async def test_100_megabytes_of_no_text_at_all(workshop: Workshop) -> None:
    program = (
        "import sys\n"
        "line = bytes(range(128, 256)) * 8 + b'\\0\\n'\n"
        "for _ in range(100 * 1024):\n    sys.stdout.buffer.write(line)\n"
        "sys.stderr.buffer.write(line * 1024)\n"
        "open('done', 'w').write('x')\n"
    )
    before = psutil.Process().memory_info().rss
    task = await workshop.until(
        await workshop.task("Shout", agent=await workshop.python_agent("bob", program)), "waiting_approval"
    )
    assert (await only_run(workshop, task)).error_type is None
    stored = "SELECT {}(octet_length(payload::text)) FROM events WHERE session_id = $1"
    assert await scalar(stored.format("sum"), task.session_id) < 8_000_000
    assert await scalar(stored.format("max"), task.session_id) < 300_000
    kept = await scalar(
        "SELECT string_agg(payload ->> 'text', E'\\n') FROM events WHERE session_id = $1 AND kind = 'status'",
        task.session_id,
    )
    assert "more than 1 MiB" in kept
    assert psutil.Process().memory_info().rss - before < 80_000_000
    session = await get_session(task.session_id)
    messages = (
        "SELECT count(*) FROM events WHERE session_id = $1 AND kind = 'message' AND payload ->> 'partial' IS NULL"
    )
    assert session.message_count == await scalar(messages, session.id)


class TestSetup:
    """The four steps of a worktree."""

    async def test_a_command_that_fails_and_is_tried_again_from_there(self, workshop: Workshop) -> None:
        await workshop.configure(install_command=("sh", "-c", "echo installing; [ -e ready ] || exit 9"))
        task = await workshop.task("Count", agent=await workshop.agent("bob", "echo eight > spokes.txt"))
        run = await failed(workshop, task, "setup_failed")
        assert "exit code 9" in run.error
        worktree = await get_worktree((await get_task(task.id)).worktree_id)
        assert worktree.status == "error"
        before = {step.name: step for step in await steps_of(worktree.id)}
        assert [step.status for step in before.values()] == ["done", "skipped", "error", "pending"]
        assert "installing" in before["deps"].log
        (worktree.root / "ready").touch()
        await retry(run.agent_id, MARA)
        task = await workshop.until(task, "waiting_approval")
        after = {step.name: step for step in await steps_of(task.worktree_id)}
        assert task.worktree_id == worktree.id
        assert after["add"] == before["add"]
        assert after["deps"].status == "done"
        assert after["deps"].log.splitlines()[1:] == ["installing"]
        assert (await get_worktree(worktree.id)).status == "active"
        assert [r.number for r in await workshop.runs(task)] == [1, 2]

    async def test_stopped_in_the_middle_of_a_step(self, workshop: Workshop) -> None:
        await workshop.configure(install_command=("sh", "-c", "echo $$ > pid; exec tail -f /dev/null"))
        task = await workshop.task("Count", agent=await workshop.agent("bob", "true"))
        pid = int((await workshop.file("*/pid")).read_text())
        assert trees.is_alive(pid, None)
        await workshop.until(task, "starting")
        await stop_run((await workshop.runs(task))[0], MARA)
        await failed(workshop, task, "stopped")
        assert not trees.is_alive(pid, None)
        # Nothing is said to be going on any more.
        worktree = await get_worktree((await get_task(task.id)).worktree_id)
        assert worktree.status == "error"
        assert [step.status for step in await steps_of(worktree.id)] == ["done", "skipped", "error", "pending"]
        await workshop.configure(install_command=None)
        await retry((await workshop.runs(task))[0].agent_id, MARA)
        await workshop.until(task, "waiting_approval")

    async def test_a_branch_of_that_name_that_is_somebodys(self, workshop: Workshop) -> None:
        commit(workshop.root, {"a": "b"})
        user(workshop.root, "branch", "agent")
        task = await workshop.task("Count", agent=await workshop.agent("bob", "true"))
        run = await failed(workshop, task, "setup_failed")
        assert "agent" in run.error

    async def test_secrets_that_a_command_prints_are_cut_out(self, workshop: Workshop, monkeypatch) -> None:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-of-a-test-0123456789")
        await workshop.configure(install_command=("sh", "-c", "echo key $ANTHROPIC_API_KEY; exit 1"))
        task = await workshop.task("Count", agent=await workshop.agent("bob", "true"))
        await failed(workshop, task, "setup_failed")
        (log,) = [s.log for s in await steps_of((await get_task(task.id)).worktree_id) if s.name == "deps"]
        assert "key [redacted: ANTHROPIC_API_KEY]" in log
        assert await scalar("SELECT count(*) FROM events WHERE payload::text LIKE '%of-a-test%'") == 0


async def test_the_environment_is_an_allow_list_with_the_names_of_the_contract(workshop: Workshop, monkeypatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD_OF_SOMEBODY", "never to be seen")
    task = await workshop.done("Look", "env > env.txt")
    root = (await get_worktree(task.worktree_id)).root
    env = dict(line.partition("=")[::2] for line in (root / "env.txt").read_text().splitlines())
    run = await only_run(workshop, task)
    ours = {name: value for name, value in env.items() if name.startswith("AGENTPANE_")}
    assert ours == {
        "AGENTPANE_RUN_ID": run.id,
        "AGENTPANE_TASK_ID": task.id,
        "AGENTPANE_PROJECT_ID": task.project_id,
        "AGENTPANE_WORKTREE": str(root),
        "AGENTPANE_BRANCH": task.branch,
        "AGENTPANE_ATTEMPT": "1",
        "AGENTPANE_WORKTREE_NUMBER": "1",
        "AGENTPANE_PORT_BASE": "20000",
        # The program by which a command asks, in a folder of this run alone.
        "AGENTPANE_ASK": str(workshop.app.state.settings.data_dir / "runs" / run.id / "ask" / "ask"),
    }
    assert "DATABASE_PASSWORD_OF_SOMEBODY" not in env


async def test_a_run_of_many_weeks_can_end(project: ProjectRow) -> None:
    claim = await begin(project.id)
    await execute("UPDATE agent_runs SET started_at = started_at - interval '60 days'")
    await end(claim)
    run = await get_run(claim.run_id)
    assert (run.status, run.duration) == ("completed", 2**31 - 1)


async def test_turns_count_for_the_task_also_when_the_work_could_not_be_committed(project: ProjectRow) -> None:
    await add_agent(project.id)
    claim = await begin(project.id)
    worktree = (await get_worktree(claim.worktree_id)).root
    user(worktree, "checkout", "-q", "--detach")
    (Path(user(worktree, "rev-parse", "--absolute-git-dir")) / "rebase-merge").mkdir()
    await say(claim, Message(message_id="m", text="On it.", turn=2))
    await end(claim, "api_error", "It broke.")
    run, task = await get_run(claim.run_id), await get_task(claim.task_id)
    assert (run.work_saved, run.turn_count, task.turn_count) == (False, 3, 3)
