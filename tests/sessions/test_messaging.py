"""What a person says to an agent reaches it: at its next answer, or as the prompt of a follow-up run."""

from pathlib import Path

import pytest

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.errors import Conflict, NotFound
from app.events.reading import of_session
from app.events.recording import Actor
from app.postgres.reading import scalar
from app.reviews.approving import approve
from app.runs.cancelling import cancel
from app.runs.retrying import retry
from app.sessions.messaging import send
from app.sessions.opening import close
from app.sessions.queueing import withdraw
from app.sessions.rows import get_session, queued_messages
from app.tasks.rows import TaskRow, get_task
from tests.scripted_model import ScriptedModel
from tests.scripted_model.fixture import *  # noqa: F403
from tests.workshop import MARA, Workshop

JO = Actor("person", "Jo")
#: Keeps what it was asked; at its first run it holds until it is released.
HOLDING = """
n=$(ls asked-* 2>/dev/null | wc -l); cat > "asked-$n.txt"
[ $n = 0 ] || exit 0; while [ ! -e release ]; do sleep 0.02; done
"""


async def held(workshop: Workshop, **fields: object) -> tuple[TaskRow, Path]:
    """A task whose agent is at work, and its worktree."""
    task = await workshop.task("Count", agent=await workshop.agent("bob", HOLDING), **fields)
    asked = await workshop.file("*/asked-0.txt")
    await workshop.until(task, "running")
    return await get_task(task.id), asked.parent


async def said(task: TaskRow) -> list[tuple[str, str]]:
    events = await of_session(task.session_id, 0)
    return [(event.actor, event.payload["text"]) for event in events if event.kind == "message"]


async def test_a_live_claude_gets_it_at_its_next_answer(
    workshop: Workshop, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    for name, value in {**scripted_model.env, "HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)
    bob = await create_agent(workshop.project.id, AgentForm(name="bob"), MARA)
    task = await workshop.task("Greet", agent=bob, description="SCENARIO:held")
    worktree = (await workshop.file("*/hello.txt")).parent
    task = await get_task(task.id)
    await send(task.session_id, "And say it to Jo, please.", JO)
    assert [message.text for message in await queued_messages(task.session_id)] == ["And say it to Jo, please."]
    assert not await said(task) or (await said(task))[-1][0] != "Jo"
    while not (worktree / "release").exists():
        (worktree / "release").touch()
    task = await workshop.until(task, "waiting_approval")
    assert "And say it to Jo, please." in (worktree / "second.txt").read_text()
    # One run, in whose record the message stands between the two answers.
    (run,) = await workshop.runs(task)
    assert run.error_type is None
    texts = [text for _, text in await said(task)]
    assert texts.index("All done: wrote hello.txt.") < texts.index("And say it to Jo, please.")
    assert texts[-1] == "Done again: wrote second.txt."
    assert await queued_messages(task.session_id) == []


async def test_a_program_that_cannot_listen_gets_it_in_a_follow_up_run(workshop: Workshop) -> None:
    task, worktree = await held(workshop)
    await send(task.session_id, "Count the hub too.", JO)
    await send(task.session_id, "And the rim.", MARA)
    (worktree / "release").touch()
    task = await workshop.until(task, "waiting_approval")
    first, second = await workshop.runs(task)
    assert (first.status, second.cause, second.agent_id) == ("completed", "message", first.agent_id)
    # It did not wait for approval in between: nobody was asked to decide on half of the work.
    moves = await scalar(
        "SELECT string_agg(payload ->> 'cause', ',' ORDER BY number) FROM events"
        " WHERE subject = $1 AND kind = 'task.moved'",
        task.id,
    )
    assert moves == "start,complete"
    assert (worktree / "asked-1.txt").read_text().endswith("# Now\n\nCount\n\nCount the hub too.\n\nAnd the rim.")
    assert (await said(task))[:3] == [
        ("AgentPane", "Count"),
        ("Jo", "Count the hub too."),
        ("Mara Lindqvist", "And the rim."),
    ]
    assert await queued_messages(task.session_id) == []
    session = await get_session(task.session_id)
    assert session.message_count == len(await said(task))


async def test_after_an_error_it_starts_a_follow_up_run(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", 'case "$(cat)" in *"Try harder."*) exit 0;; *) exit 1;; esac')
    task = await workshop.until(await workshop.task("Count", agent=bob), "error")
    await send(task.session_id, "Try harder.", MARA)
    task = await workshop.until(task, "waiting_approval")
    assert [(run.cause, run.status) for run in await workshop.runs(task)] == [
        ("task", "error"),
        ("message", "completed"),
    ]


async def test_one_that_waited_when_the_run_failed_is_not_lost(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", HOLDING.replace("do sleep", "do [ -e fail ] && exit 1; sleep"))
    task = await workshop.task("Count", agent=bob)
    worktree = (await workshop.file("*/asked-0.txt")).parent
    task = await get_task(task.id)
    await send(task.session_id, "First.", MARA)
    (worktree / "fail").touch()
    await workshop.until(task, "error")
    assert [message.text for message in await queued_messages(task.session_id)] == ["First."]
    # The next message takes it along, in order.
    await send(task.session_id, "Second.", MARA)
    await workshop.until(task, "waiting_approval")
    assert (worktree / "asked-1.txt").read_text().endswith("Count\n\nFirst.\n\nSecond.")


async def test_and_a_retry_takes_it_along_when_it_is_done(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", HOLDING.replace("do sleep", "do [ -e fail ] && exit 1; sleep"))
    task = await workshop.task("Count", agent=bob)
    worktree = (await workshop.file("*/asked-0.txt")).parent
    task = await get_task(task.id)
    await send(task.session_id, "First.", MARA)
    (worktree / "fail").touch()
    await workshop.until(task, "error")
    await retry(bob.id, MARA)
    task = await workshop.until(task, "waiting_approval")
    assert [run.cause for run in await workshop.runs(task)] == ["task", "retry", "message"]


async def test_one_that_was_withdrawn_is_never_delivered(workshop: Workshop) -> None:
    task, worktree = await held(workshop)
    await send(task.session_id, "Never mind.", MARA)
    (message,) = await queued_messages(task.session_id)
    await withdraw(task.session_id, message.id, MARA)
    (worktree / "release").touch()
    await workshop.until(task, "waiting_approval")
    assert len(await workshop.runs(task)) == 1
    assert "Never mind." not in str(await said(task))


async def test_what_was_delivered_cannot_be_withdrawn(workshop: Workshop) -> None:
    task, worktree = await held(workshop)
    await send(task.session_id, "Go on.", MARA)
    (message,) = await queued_messages(task.session_id)
    (worktree / "release").touch()
    await workshop.until(task, "waiting_approval")
    for id in (message.id, "nothing"):
        with pytest.raises(NotFound):
            await withdraw(task.session_id, id, MARA)


async def test_where_nobody_would_read_it_is_refused(workshop: Workshop) -> None:
    task = await workshop.done("Count", "echo eight > spokes.txt")
    with pytest.raises(Conflict) as refused:
        await send(task.session_id, "Hello?", MARA)
    # A decision is due, and the refusal says where to make it.
    assert (refused.value.code, refused.value.details["review"]) == (
        "TASK_INVALID_TRANSITION", f"/tasks/{task.id}/review",
    )  # fmt: skip
    await approve(task.id, await workshop.approval(task), MARA)
    with pytest.raises(Conflict) as refused:
        await send(task.session_id, "Hello?", MARA)
    assert refused.value.code == "SESSION_CLOSED"


async def test_a_cancelled_task_takes_no_message(workshop: Workshop) -> None:
    task, _ = await held(workshop)
    await cancel(task.id, actor=MARA)
    with pytest.raises(Conflict) as refused:
        await send(task.session_id, "Hello?", MARA)
    assert refused.value.code == "SESSION_CLOSED"


async def test_a_session_is_closed_by_hand_once_and_not_while_an_agent_is_at_work(workshop: Workshop) -> None:
    task, _ = await held(workshop)
    with pytest.raises(Conflict) as refused:
        await close(task.session_id, MARA)
    assert refused.value.code == "AGENT_ALREADY_RUNNING"
    (next((workshop.root / ".worktrees").glob("*")) / "release").touch()
    await workshop.until(task, "waiting_approval")
    closed = await close(task.session_id, MARA)
    assert (closed.is_active, closed.closed_at is None) == (False, False)
    with pytest.raises(Conflict) as refused:
        await close(task.session_id, MARA)
    assert refused.value.code == "SESSION_CLOSED"
    assert [e.payload["text"] for e in await of_session(task.session_id, 0) if e.payload.get("status") == "closed"] == [
        "The session was closed"
    ]
