"""After a run that stopped early: another try, a clean slate for the agent, or what is there as it is."""

import pytest

from app.agents.rows import get_agent
from app.errors import Conflict
from app.postgres.reading import execute, scalar
from app.projects.rows import ProjectRow
from app.runs.retrying import clear, retry
from app.runs.submitting import submit
from app.tasks.rows import get_task
from tests.invariants import check_all
from tests.work import begin, end
from tests.workshop import MARA, Workshop

#: Fails until somebody has made the file `ready`; keeps every prompt it was given.
STUBBORN = 'cat > "prompt-$(ls prompt-* 2>/dev/null | wc -l).txt"; [ -e ready ]'


async def test_a_retry_is_the_same_agents_next_run_of_the_same_prompt(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", STUBBORN)
    await workshop.agent("alice", "true")
    task = await workshop.task("Count", agent=bob, description="All of them.")
    for number in (1, 2):
        await workshop.until(task, "error")
        assert len(await workshop.runs(task)) == number
        await retry(bob.id, MARA)
    await workshop.until(task, "error")
    prompt = await workshop.file("*/prompt-2.txt")
    assert prompt.read_text() == "Count\n\nAll of them."
    (prompt.parent / "ready").touch()
    await retry(bob.id, MARA)
    await workshop.until(task, "waiting_approval")
    runs = await workshop.runs(task)
    assert [(run.number, run.cause, run.agent_id) for run in runs] == [
        (1, "task", bob.id), (2, "retry", bob.id), (3, "retry", bob.id), (4, "retry", bob.id),
    ]  # fmt: skip
    agent = await get_agent(bob.id)
    assert (agent.total_tasks, agent.completed_tasks, agent.failed_tasks) == (1, 1, 0)


async def test_an_agent_that_waits_for_its_retry_holds_nothing(database: str, project: ProjectRow) -> None:
    claim = await begin(project.id)
    await end(claim, "process_exit", "It broke.")
    await retry(claim.agent_id, MARA)
    agent = await get_agent(claim.agent_id)
    assert (agent.status, agent.current_task_id, agent.current_worktree_id) == ("idle", None, None)
    await check_all(database, deep=False)


async def test_a_conversation_goes_on_with_a_word_about_how_it_ended(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", "exit 4")
    task = await workshop.task("Count", agent=bob)
    await workshop.until(task, "error")
    for number in (2, 3):
        # As if the program remembered what was said.
        await execute("UPDATE run_details SET runner = 'claude', native_session_id = 'native-1'")
        await retry(bob.id, MARA)
        await workshop.until(task, "error")
        last = (await workshop.runs(task))[-1]
        assert last.number == number
        # However often it is tried, the task is told once.
        assert (
            last.prompt
            == "Your last run ended early (The program ended with exit code 4.). Go on where you stopped:\n\nCount"
        )


async def test_an_agent_that_holds_a_task_is_freed_by_cancelling_that(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", "exit 1")
    await workshop.until(await workshop.task("Count", agent=bob), "error")
    with pytest.raises(Conflict) as refused:
        await clear(bob.id, MARA)
    assert refused.value.code == "AGENT_ALREADY_RUNNING"
    assert (await get_agent(bob.id)).status == "error"


async def test_an_agent_without_a_failed_run_has_nothing_to_retry(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", "true")
    await workshop.until(await workshop.task("Count", agent=bob), "waiting_approval")
    with pytest.raises(Conflict) as refused:
        await retry(bob.id, MARA)
    assert refused.value.code == "AGENT_NOT_RUNNING"
    with pytest.raises(Conflict):
        await retry((await workshop.agent("alice", "true")).id, MARA)


async def test_what_is_there_can_be_handed_in(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", "echo eight > spokes.txt; exit 1")
    task = await workshop.until(await workshop.task("Count", agent=bob), "error")
    handed_in = await submit(task.id, actor=MARA)
    assert (handed_in.column, handed_in.files_changed, handed_in.metadata.ended_by) == ("waiting_approval", 1, None)
    agent = await get_agent(bob.id)
    assert (agent.status, agent.current_task_id) == ("idle", None)


async def test_without_changes_there_is_nothing_to_hand_in(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", "exit 1")
    task = await workshop.until(await workshop.task("Count", agent=bob), "error")
    with pytest.raises(Conflict) as refused:
        await submit(task.id, actor=MARA)
    assert refused.value.code == "TASK_NO_DIFF"
    assert (await get_task(task.id)).column == "in_progress"
    assert (await get_agent(bob.id)).status == "error"


async def test_while_an_agent_is_at_work_nothing_is_handed_in_or_retried(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", "echo work > work.txt; exec tail -f /dev/null")
    task = await workshop.task("Count", agent=bob)
    await workshop.file("*/work.txt")
    with pytest.raises(Conflict) as refused:
        await submit(task.id, actor=MARA)
    assert refused.value.code == "AGENT_ALREADY_RUNNING"
    with pytest.raises(Conflict):
        await retry(bob.id, MARA)
    assert await scalar("SELECT count(*) FROM agent_runs") == 1


async def test_a_task_that_waits_in_the_queue_can_be_handed_in(workshop: Workshop) -> None:
    await execute("UPDATE projects SET max_concurrent_agents = 1 WHERE id = $1", workshop.project.id)
    bob = await workshop.agent(
        "bob", "case $(cat) in Hold*) exec tail -f /dev/null;; *) echo work > work.txt; exit 1;; esac"
    )
    alice = await workshop.agent("alice", "exec tail -f /dev/null")
    task = await workshop.until(await workshop.task("Count", agent=bob), "error")
    await workshop.until(await workshop.task("Hold on", agent=alice), "running")
    await retry(bob.id, MARA)
    await workshop.until(task, "queued")
    handed_in = await submit(task.id, actor=MARA)
    assert (handed_in.column, handed_in.metadata.pending) == ("waiting_approval", None)
    assert (await get_agent(bob.id)).status == "idle"
