"""Chats with a conversational agent: in a worktree of their own, message by message, and handed in as a task."""

import asyncio

import pytest

from app.agents.creating import create_agent, delete_agent
from app.agents.forms import AgentForm
from app.agents.rows import AgentRow, get_agent
from app.errors import Conflict, NotFound
from app.git.repository import branch_oid, inspect
from app.postgres.reading import execute, scalar
from app.reviews.approving import approve
from app.reviews.rejecting import reject
from app.runs.chatting import close_chat, open_chat, turn_into_task
from app.runs.engine import Engine
from app.runs.interrupted import interrupted_runs
from app.runs.retrying import retry
from app.runs.rows import live_run_of_agent, runs_of_session
from app.runs.stopping import stop_run
from app.sessions.messaging import send
from app.sessions.rows import SessionRow, get_session
from app.sessions.standalone import standalone
from app.tasks.forms import NewTask
from app.tasks.rows import get_task
from app.worktrees.pruning import candidates
from app.worktrees.removing import remove_by_hand
from app.worktrees.rows import get_worktree
from tests.git.repositories import user
from tests.workshop import MARA, Workshop

#: Answers with the message and writes it down; ends with an error when it is told to.
PARROT = 'text=$(cat); echo "You said: $text"; case $text in *look*) ;; *) echo "$text" >> said.txt;; esac'
HOLD = f"{PARROT}; echo x > held; while [ ! -e release ]; do sleep 0.02; done; rm held release"


async def parrot(workshop: Workshop, script: str = PARROT, name: str = "polly") -> AgentRow:
    file = workshop.folder / f"{name}.sh"
    file.write_text(script)
    form = AgentForm(name=name, type="conversational", runner="command", command=f"sh {file}")
    return await create_agent(workshop.project.id, form, MARA)


async def answered(workshop: Workshop, session: SessionRow, runs: int) -> None:
    """Once that many runs of the session have ended and its agent is free."""

    async def ended() -> bool:
        done = [run for run in await runs_of_session(session.id) if not run.is_live]
        return len(done) == runs and (await get_agent(session.agent_id or "")).status in ("completed", "error")

    await workshop.once(ended, f"{runs} answers")


async def test_a_chat_goes_on_in_one_worktree_message_by_message(workshop: Workshop) -> None:
    polly = await parrot(workshop)
    session = await open_chat(polly.id, "Count the spokes\n\nAll of them.", MARA)
    assert (session.title, session.task_id) == ("Count the spokes", None)
    await answered(workshop, session, 1)
    await send(session.id, "And the rims", MARA)
    await answered(workshop, session, 2)
    chat = await standalone(session.id)
    worktree = await get_worktree(chat.worktree_id)
    assert worktree.branch == f"agent/{session.id[:6]}/count-the-spokes"
    assert user(worktree.root, "status", "--porcelain") == ""
    assert user(workshop.root, "show", f"{worktree.branch}:said.txt").splitlines()[-1] == "And the rims"
    assert (chat.files_changed, chat.pending) == (1, None)
    assert (await get_agent(polly.id)).status == "completed"
    said = await scalar(
        "SELECT string_agg(payload ->> 'text', '|' ORDER BY number) FROM events WHERE session_id = $1"
        " AND kind = 'message' AND payload ->> 'role' = 'user'",
        session.id,
    )
    assert said == "Count the spokes\n\nAll of them.|And the rims"
    assert [run.number for run in await runs_of_session(session.id)] == [2, 1]


async def test_what_is_said_while_the_agent_answers_is_the_next_turn(workshop: Workshop) -> None:
    polly = await parrot(workshop, HOLD)
    session = await open_chat(polly.id, "First", MARA)
    held = await workshop.file("*/held")
    await send(session.id, "Second", MARA)
    await send(session.id, "Third", MARA)
    assert await scalar("SELECT count(*) FROM session_messages WHERE delivered_at IS NULL") == 2
    (held.parent / "release").touch()
    await answered_first(workshop, session)
    await workshop.file("*/held")
    (held.parent / "release").touch()
    await answered(workshop, session, 2)
    assert (await runs_of_session(session.id))[0].prompt == "Second\n\nThird"


async def answered_first(workshop: Workshop, session: SessionRow) -> None:
    async def begun() -> bool:
        return len(await runs_of_session(session.id)) == 2

    await workshop.once(begun, "the second run")


async def test_a_chat_waits_for_a_slot_and_goes_before_the_queue(workshop: Workshop) -> None:
    await execute("UPDATE projects SET max_concurrent_agents = 1 WHERE id = $1", workshop.project.id)
    polly, bob = await parrot(workshop), await workshop.agent("bob", HOLD.replace("$text", "task"))
    busy = await workshop.task("Busy", agent=bob)
    held = await workshop.file("*/held")
    queued = await workshop.task("Queued", agent=bob, start=True)
    session = await open_chat(polly.id, "Are you there?", MARA)
    assert (await standalone(session.id)).pending.prompt == "Are you there?"
    (held.parent / "release").touch()
    await workshop.until(busy, "waiting_approval")
    await answered(workshop, session, 1)
    other = await workshop.file("*queued/held")
    (other.parent / "release").touch()
    await workshop.until(queued, "waiting_approval")
    (chat_run,) = await runs_of_session(session.id)
    (task_run,) = await workshop.runs(queued)
    assert chat_run.completed_at <= task_run.started_at


async def test_its_changes_become_a_task_that_is_rejected_and_then_merged(workshop: Workshop) -> None:
    polly = await parrot(workshop)
    session = await open_chat(polly.id, "Eight spokes", MARA)
    await answered(workshop, session, 1)
    await execute("UPDATE agent_runs SET turn_count = 3")
    task = await turn_into_task(session.id, NewTask(title="Say how many spokes", labels=["docs"]), MARA)
    assert (task.column, task.position, task.files_changed) == ("waiting_approval", 0, 1)
    assert task.turn_count == 3
    assert (task.session_id, task.agent_id, task.labels) == (session.id, polly.id, ("docs",))
    assert await standalone(session.id) is None
    assert (await get_session(session.id)).task_id == task.id
    # The same agent goes on in the same folder with the reason.
    await reject(task.id, "Nine, please", MARA)
    task = await workshop.until(task, "waiting_approval")
    runs = await workshop.runs(task)
    assert [(run.agent_id, run.number) for run in runs] == [(polly.id, 1), (polly.id, 2)]
    await approve(task.id, await workshop.approval(task), MARA)
    assert (await get_task(task.id)).column == "verified"
    assert "Nine, please" in (workshop.root / "said.txt").read_text()


async def test_nothing_changed_and_at_work_are_refused(workshop: Workshop) -> None:
    polly = await parrot(workshop, HOLD)
    session = await open_chat(polly.id, "Just look", MARA)
    held = await workshop.file("*/held")
    for refused in (turn_into_task(session.id, NewTask(title="Now"), MARA), close_chat(session.id, MARA)):
        with pytest.raises(Conflict) as busy:
            await refused
        assert busy.value.code == "AGENT_ALREADY_RUNNING"
    (held.parent / "release").touch()
    await answered(workshop, session, 1)
    with pytest.raises(Conflict) as empty:
        await turn_into_task(session.id, NewTask(title="Now"), MARA)
    assert empty.value.code == "TASK_NO_DIFF"


async def test_closing_keeps_a_branch_with_work_and_no_other(workshop: Workshop) -> None:
    repository = await inspect(workshop.root)
    polly = await parrot(workshop)
    for text, is_kept in (("Write this down", True), ("Just look", False)):
        session = await open_chat(polly.id, text, MARA)
        await answered(workshop, session, 1)
        await close_chat(session.id, MARA)
        worktree = await get_worktree((await standalone(session.id)).worktree_id)
        assert (worktree.status, worktree.root.exists()) == ("removed", False)
        assert (await branch_oid(repository, worktree.branch) is not None) == is_kept
        with pytest.raises(Conflict, match="closed"):
            await send(session.id, "More", MARA)


async def test_the_worktree_of_an_open_chat_is_neither_removed_nor_pruned(workshop: Workshop) -> None:
    await workshop.configure(stale_after_days=1)
    polly = await parrot(workshop)
    session = await open_chat(polly.id, "Write this down", MARA)
    await answered(workshop, session, 1)
    worktree_id = (await standalone(session.id)).worktree_id
    await execute("UPDATE worktrees SET created_at = now() - interval '9 days'")
    await execute("UPDATE agent_runs SET completed_at = now() - interval '8 days'")
    with pytest.raises(Conflict, match="'Write this down' works in this worktree"):
        await remove_by_hand(worktree_id, MARA)
    (kept,) = await candidates(workshop.project)
    assert kept.kept_because == "The session 'Write this down' works in it."
    await execute("UPDATE sessions SET is_active = false WHERE id = $1", session.id)
    (stale,) = await candidates(workshop.project)
    assert (stale.kept_because, stale.ahead) == ("", 1)


async def test_a_stopped_chat_goes_on_with_the_next_message(workshop: Workshop) -> None:
    polly = await parrot(workshop, HOLD)
    session = await open_chat(polly.id, "First", MARA)
    held = await workshop.file("*/held")
    await stop_run(await live_run_of_agent(polly.id), MARA)
    assert (await get_agent(polly.id)).status == "completed"
    (held.parent / "release").touch()
    await send(session.id, "Second", MARA)
    await answered(workshop, session, 2)


async def test_a_failed_chat_is_retried(workshop: Workshop) -> None:
    polly = await parrot(workshop, "[ -e ok ] || { touch ok; exit 3; }; echo fine > fine.txt")
    session = await open_chat(polly.id, "Try", MARA)
    await answered(workshop, session, 1)
    agent = await get_agent(polly.id)
    assert (agent.status, agent.current_session_id) == ("error", session.id)
    await retry(polly.id, MARA)
    await answered(workshop, session, 2)
    assert [run.error_type for run in await runs_of_session(session.id)] == [None, "process_exit"]


async def test_an_interrupted_chat_stands_on_the_recovery_page(workshop: Workshop, engine: Engine) -> None:
    polly = await parrot(workshop, HOLD)
    session = await open_chat(polly.id, "First", MARA)
    await workshop.file("*/held")
    await engine.end((await live_run_of_agent(polly.id)).id, "interrupted")
    await answered(workshop, session, 1)
    (cut,) = await interrupted_runs()
    assert (cut.title, cut.task_id, cut.session_id, cut.files_changed) == ("First", "", session.id, 2)
    await close_chat(session.id, MARA)
    assert await interrupted_runs() == []


async def test_only_a_conversational_agent_holds_chats(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", "true")
    with pytest.raises(Conflict, match="no chats"):
        await open_chat(bob.id, "Hello", MARA)


async def test_none_is_begun_with_an_agent_that_is_deleted_meanwhile(workshop: Workshop) -> None:
    polly = await parrot(workshop)
    begun, deleted = await asyncio.gather(
        open_chat(polly.id, "Hello", MARA), delete_agent(polly.id, MARA), return_exceptions=True
    )
    assert isinstance(begun, NotFound)
    assert not isinstance(deleted, Exception)
