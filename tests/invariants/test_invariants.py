"""The checks agree with what the verbs write, and find out every lie that is told to them."""

import asyncio
import os
from pathlib import Path

import asyncpg
import pytest

from app.postgres.reading import execute
from app.projects.rows import ProjectRow
from tests.git.repositories import commit, user
from tests.invariants import Heard, Witness, check_all
from tests.invariants.hearing import Sent
from tests.work import begin, call, end

LIES = {
    "positions have no gaps": "UPDATE tasks SET position = position + 1",
    "every task in progress waits or is held": "UPDATE agents SET current_task_id = NULL WHERE status = 'error'",
    "no project has too many at work": "UPDATE projects SET max_concurrent_agents = 0",
    "one agent has one task": "UPDATE agents SET current_task_id = (SELECT min(id) FROM tasks)",
    "an agent at work says what it does": "UPDATE agents SET current_session_id = NULL",
    "an agent that is free holds nothing": "UPDATE agents SET status = 'idle'",
    "a run is live exactly while its agent is": "UPDATE agents SET status = 'paused' WHERE status = 'starting'",
    "an ended run says how it ended": "UPDATE agent_runs SET error_type = NULL",
    "calls of an ended run are closed": "UPDATE audit_logs SET status = 'running'",
    "the chain verifies": "UPDATE audit_chain SET actor = 'Somebody else' WHERE number = 2",
    "decisions are in the chain": "UPDATE audit_chain SET kind = 'decision' WHERE kind = 'begin'",
    "agents count their tasks": "UPDATE agents SET failed_tasks = failed_tasks + 1",
    "sessions count messages and calls": "UPDATE sessions SET tool_call_count = tool_call_count + 1",
    "runs count turns and calls": "UPDATE agent_runs SET tool_calls = '[]'",
    "tasks count turns and rejections": "UPDATE tasks SET rejection_count = 4",
    "tasks and worktrees agree": "UPDATE tasks SET branch = 'other'",
    "worktrees are where their rows say": "UPDATE worktrees SET path = path || 'x'",
    "every worktree of ours has its row": "UPDATE worktrees SET status = 'removed'",
}


async def worked(project: ProjectRow) -> None:
    """One run at work, one that failed, and one that is told to go on."""
    failed = await begin(project.id, "Count the spokes")
    await call(failed, "Bash", {"command": "ls"})
    await end(failed, "process_exit", "It broke.")
    await begin(project.id, "True the wheel")


async def test_what_the_verbs_write_is_true(database: str, project: ProjectRow) -> None:
    await worked(project)
    facts = await check_all(database, [Witness(project.root)])
    assert len(facts.runs) == 2
    assert len(facts.copies[project.id]) == 3


@pytest.mark.parametrize(("check", "lie"), LIES.items(), ids=LIES)
async def test_a_lie_is_found(check: str, lie: str, database: str, project: ProjectRow) -> None:
    await worked(project)
    await execute(lie)
    with pytest.raises(AssertionError, match=check):
        await check_all(database, deep=False)


async def test_a_process_that_outlives_its_run_is_found(database: str, project: ProjectRow) -> None:
    claim = await begin(project.id, "Count the spokes")
    environment = {**os.environ, "AGENTPANE_RUN_ID": claim.run_id}
    stray = await asyncio.create_subprocess_exec("tail", "-f", "/dev/null", env=environment, start_new_session=True)
    try:
        await check_all(database, deep=False)
        await end(claim)
        with pytest.raises(AssertionError, match="no process outlives its run"):
            await check_all(database, deep=False)
    finally:
        stray.kill()
        await stray.wait()


async def test_what_is_lost_is_missed(database: str, project: ProjectRow) -> None:
    witness = Witness(project.root)
    user(project.root, "checkout", "-q", "-b", "side")
    commit(project.root, {"side.txt": "side\n"})
    (project.root / "loose.txt").write_text("loose\n")
    witness.wrote(b"side\n", "side.txt")
    witness.wrote(b"loose\n", "loose.txt")
    await check_all(database, [witness])
    (project.root / "loose.txt").unlink()
    with pytest.raises(AssertionError, match=r"files are lost: \['loose.txt'\]"):
        await check_all(database, [witness])
    (project.root / "loose.txt").write_text("loose\n")
    user(project.root, "checkout", "-q", "main")
    user(project.root, "branch", "-q", "-D", "side")
    with pytest.raises(AssertionError, match="commits are lost"):
        await check_all(database, [witness])


async def test_a_repository_that_is_broken_is_noticed(database: str, project: ProjectRow) -> None:
    tree = user(project.root, "rev-parse", "main^{tree}")
    Path(project.root / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(AssertionError, match=tree):
        await check_all(database)


async def test_an_event_that_a_browser_got_is_missed(database: str, project: ProjectRow) -> None:
    claim = await begin(project.id, "Count the spokes")
    await call(claim, "Bash", {"command": "ls"})
    connection = await asyncpg.connect(database)
    logged = await connection.fetch(
        "SELECT number, kind FROM events WHERE session_id = $1 ORDER BY number", claim.session_id
    )
    heard = Heard()
    heard.sessions[claim.session_id] = [Sent(row["number"], row["kind"]) for row in logged]
    assert heard.count >= 3
    await check_all(database, heard=heard, deep=False)
    await connection.execute("DELETE FROM events WHERE number = $1", logged[1]["number"])
    await connection.close()
    with pytest.raises(AssertionError, match="was sent what is not in the log"):
        await check_all(database, heard=heard, deep=False)
