"""The chain: every call, decision and merge is one more entry in it, in the transaction in which it happens."""

import asyncio
import json
from typing import Any

import pytest
from msgspec import Struct

from app.audit.chain import Head, append_in_lock, head_of
from app.audit.offline_verify import GENESIS, Entry, Walk, sha256
from app.audit.reading import pages
from app.events.recording import Actor
from app.postgres.reading import execute, rows, scalar
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from app.reviews.approving import approve
from app.reviews.comparing import compare
from app.reviews.rejecting import reject
from app.reviews.undoing import undo
from app.runners.base import ToolStarted
from app.runs.cancelling import cancel
from app.tasks.editing import delete_task
from tests.git.repositories import user
from tests.work import begin, call, end, say
from tests.workshop import MARA, Workshop

TOKEN = "ghp_" + "aB3dE5gH7jK9" * 3


class Written(Struct, frozen=True):
    """One entry as it stands in the database."""

    number: int
    kind: str
    subject_id: str
    actor: str
    content: dict[str, Any]


async def chain_of(project: ProjectRow, *kinds: str) -> list[Written]:
    """The entries of these kinds, or all, oldest first."""
    return await rows(
        Written,
        "SELECT number, kind, subject_id, actor, content FROM audit_chain"
        " WHERE project_id = $1 AND (kind = ANY($2) OR $2 = '{}') ORDER BY number",
        project.id,
        list(kinds),
    )


async def test_a_call_has_an_entry_for_its_beginning_and_one_for_its_end(project: ProjectRow) -> None:
    claim = await begin(project.id)
    await call(claim, "Bash", {"command": f"echo {TOKEN}", "x": 1.50}, output={"stdout": "ä"}, duration_ms=12)
    first, began, ended = await chain_of(project)
    assert (first.number, first.kind, first.content) == (1, "begin", {"calls_before": 0})
    audit_id = await scalar("SELECT id FROM audit_logs")
    assert (began.kind, began.subject_id, began.actor) == ("tool_call", audit_id, "worker-1")
    assert began.content["input"] == sha256(await scalar("SELECT input::text FROM audit_logs"))
    expected = {"tool": "Bash", "agent": claim.agent_id, "run": claim.run_id, "task": claim.task_id, "turn": 1}
    assert {name: began.content[name] for name in expected} == expected
    assert began.content["redacted"] == 1
    assert (ended.kind, ended.subject_id) == ("tool_result", audit_id)
    digest = sha256(await scalar("SELECT output::text FROM audit_logs"))
    assert ended.content == {"status": "complete", "output": digest, "error": None, "duration": 12}


async def test_a_refused_call_says_so(project: ProjectRow) -> None:
    claim = await begin(project.id)
    await call(claim, "WebFetch", {"url": "http://x"}, status="denied")
    (refused,) = await chain_of(project, "tool_refused")
    assert refused.content["error"] == sha256("The call was refused.")


async def test_every_hash_holds_the_one_before(project: ProjectRow) -> None:
    claim = await begin(project.id)
    for number in range(5):
        await call(claim, "Bash", {"command": f"ls {number} ⟨é⟩ \n \x7f"}, str(number))
    walk = Walk()
    for entry in await chain(project):
        assert walk.fits(entry), entry
    assert Head(walk.number, walk.hash) == await head_of(project.id)
    assert walk.number == 11


async def test_nothing_is_appended_without_the_lock(project: ProjectRow) -> None:
    with pytest.raises(RuntimeError, match="without holding the lock"):
        await append_in_lock(project.id, "question", "q1", {}, actor=MARA)


async def test_what_did_not_happen_is_not_in_the_chain(project: ProjectRow) -> None:
    with pytest.raises(ZeroDivisionError):
        await _append_and_fail(project)
    assert await head_of(project.id) == Head(0, GENESIS)


async def _append_and_fail(project: ProjectRow) -> None:
    async with locked(project.id):
        await append_in_lock(project.id, "question", "q1", {}, actor=MARA)
        raise ZeroDivisionError


async def test_many_at_once_leave_no_gap(project: ProjectRow) -> None:
    async def ask(number: int) -> None:
        async with locked(project.id):
            await append_in_lock(project.id, "question", f"q{number}", {"n": number}, actor=Actor("agent", "a"))

    await asyncio.gather(*(ask(number) for number in range(30)))
    walk = Walk()
    assert all(walk.fits(entry) for entry in await chain(project))
    assert walk.number == 31


async def test_calls_that_are_older_than_the_chain_are_counted(project: ProjectRow) -> None:
    claim = await begin(project.id)
    await say(claim, ToolStarted(call_id="1", tool="Bash", input={}), ToolStarted(call_id="2", tool="Bash", input={}))
    await execute("DELETE FROM audit_chain")
    await end(claim, "stopped")
    first, *ends = await chain_of(project)
    assert (first.content, [each.kind for each in ends]) == ({"calls_before": 2}, ["tool_result", "tool_result"])


async def test_an_approval_tells_what_was_approved_and_what_became_of_the_base(workshop: Workshop) -> None:
    task = await workshop.done(
        "Count the spokes",
        "echo 32 > spokes.txt; git add .; git -c user.name=bob -c user.email=bob@example.com commit -qm Count",
    )
    seen = await compare(task)
    await approve(task.id, await workshop.approval(task), MARA)
    merge, decision = (await chain_of(workshop.project))[-2:]
    assert (merge.kind, decision.kind, decision.subject_id, decision.actor) == ("merge", "decision", task.id, MARA.name)
    assert decision.content == {
        "title": "Count the spokes", "decision": "approved", "base_branch": "main", "base": seen.base,
        "head": seen.head, "digest": seen.digest,
    }  # fmt: skip
    after = user(workshop.root, "rev-parse", "main").strip()
    assert (merge.content["old_oid"], merge.content["new_oid"]) == (seen.base, after)
    assert (merge.content["branch_oid"], merge.content["digest"]) == (seen.head, seen.digest)
    await noted(workshop.project)
    await undo(task.id, "Too many spokes.", MARA)
    taken_back, decision = (await chain_of(workshop.project))[-2:]
    assert (taken_back.kind, decision.content["decision"]) == ("undo", "undone")
    assert (taken_back.content["old_oid"], decision.content["reason"]) == (after, "Too many spokes.")
    await noted(workshop.project)


async def test_a_rejection_tells_what_was_rejected(workshop: Workshop) -> None:
    task = await workshop.done("Count the spokes", "echo 32 > spokes.txt")
    seen = await compare(task)
    await reject(task.id, "Count again.", MARA)
    (decision,) = await chain_of(workshop.project, "decision")
    assert decision.content == {
        "title": "Count the spokes", "decision": "rejected", "reason": "Count again.", "base_branch": "main",
        "base": seen.base, "head": seen.head, "digest": seen.digest,
    }  # fmt: skip
    await noted(workshop.project)


async def test_the_chain_outlives_the_task(workshop: Workshop) -> None:
    lines = [
        {"type": "system", "subtype": "init", "session_id": "n1", "model": "m"},
        {"type": "assistant", "message": {"id": "m1", "content": [
            {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}]}},
    ]  # fmt: skip
    program = f"for line in {[json.dumps(line) for line in lines]!r}: print(line, flush=True)\n"
    task = await workshop.task("Count", agent=await workshop.python_agent("bob", program))
    await workshop.until(task, "waiting_approval")
    await cancel(task.id, actor=MARA, discard=True)
    before = await chain_of(workshop.project)
    await delete_task(task.id, MARA)
    assert await chain_of(workshop.project) == before
    assert before[1].content["task"] == task.id


async def noted(project: ProjectRow) -> None:
    """The decision's events hold the head that the chain had by it."""
    head = await head_of(project.id)
    found = await rows(
        Head,
        "SELECT (payload -> 'chain' ->> 'number')::int AS number, payload -> 'chain' ->> 'hash' AS hash FROM events"
        " WHERE project_id = $1 AND kind IN ('task.decided', 'decision') ORDER BY number DESC LIMIT 2",
        project.id,
    )
    assert found == [head, head]


async def chain(project: ProjectRow) -> list[Entry]:
    """The chain as it is hashed."""
    return [entry async for page in pages(project.id, 1000) for entry in page]
