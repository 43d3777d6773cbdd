"""Sending work back: the same agent goes on, with the reason as its prompt."""

import pytest

from app.agents.rows import get_agent
from app.errors import Conflict
from app.events.reading import of_session
from app.reviews.rejecting import reject
from app.tasks.rows import get_task
from tests.workshop import MARA, Workshop

#: Writes down what it was asked, and by which attempt.
NOTES = 'cat > "asked-$AGENTPANE_ATTEMPT.txt"'


async def test_the_next_run_is_the_same_agents_and_gets_the_reason(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", NOTES)
    await workshop.agent("alice", NOTES)
    task = await workshop.until(await workshop.task("Say it", agent=bob, description="Once."), "waiting_approval")
    sent_back = await reject(task.id, "Say it <b>twice</b>, please.", MARA)
    assert (sent_back.column, sent_back.position, sent_back.agent_id) == ("in_progress", 0, None)
    assert (sent_back.rejection_reason, sent_back.rejection_count) == ("Say it <b>twice</b>, please.", 1)
    task = await workshop.until(task, "waiting_approval")
    first, second = await workshop.runs(task)
    assert (first.agent_id, second.agent_id) == (bob.id, bob.id)
    assert (first.number, second.number, second.cause) == (1, 2, "rejection")
    worktree = workshop.root / ".worktrees"
    asked = (await workshop.file("*/asked-2.txt", worktree)).read_text()
    # A program that remembers nothing is told the task again.
    words = "Say it\n\nOnce.\n\nA person reviewed your work and asks for changes:\n\nSay it <b>twice</b>, please."
    assert asked.endswith(words)
    assert (await workshop.file("*/asked-1.txt", worktree)).read_text() == "Say it\n\nOnce."
    assert (await get_agent(bob.id)).total_tasks == 1


async def test_the_decision_stands_in_the_session_between_the_runs(workshop: Workshop) -> None:
    task = await workshop.done("Say it", "echo once >> said.txt")
    await reject(task.id, "Again.", MARA)
    await workshop.until(task, "waiting_approval")
    events = await of_session(task.session_id, 0)
    told = [event for event in events if event.kind == "decision" or "Run" in event.payload.get("text", "")]
    assert [event.payload.get("decision") or event.payload["text"] for event in told] == [
        "Run 1 began", "Run 1 ended: 1 file, +1 −0", "rejected", "Run 2 began after a rejection",
        "Run 2 ended: 1 file, +2 −0",
    ]  # fmt: skip
    assert told[2].payload["text"] == "Again."


async def test_the_agent_is_waited_for_while_it_is_at_work_elsewhere(workshop: Workshop) -> None:
    holds = 'case "$(cat)" in Hold*) echo x > held; while [ ! -e release ]; do sleep 0.02; done;; esac'
    bob = await workshop.agent("bob", holds)
    task = await workshop.until(await workshop.task("First", agent=bob), "waiting_approval")
    other = await workshop.task("Hold on", agent=bob)
    held = await workshop.file("*/held")
    await reject(task.id, "Again.", MARA)
    alice = await workshop.agent("alice", "true")
    await workshop.until(await workshop.task("Anybody", agent=alice), "waiting_approval")
    assert [run.number for run in await workshop.runs(task)] == [1]
    await workshop.until(task, "queued")
    (held.parent / "release").touch()
    await workshop.until(other, "waiting_approval")
    await workshop.until(task, "waiting_approval")
    assert [run.agent_id for run in await workshop.runs(task)] == [bob.id, bob.id]


@pytest.mark.parametrize("column", ["backlog", "in_progress"])
async def test_only_what_waits_for_approval_can_be_sent_back(workshop: Workshop, column: str) -> None:
    bob = await workshop.agent("bob", "exit 3")
    task = await workshop.task("Not yet", agent=bob, start=column == "in_progress")
    if column == "in_progress":
        await workshop.until(task, "error")
    with pytest.raises(Conflict) as refused:
        await reject(task.id, "No.", MARA)
    assert refused.value.code == "TASK_INVALID_TRANSITION"
    assert (await get_task(task.id)).rejection_count == 0
