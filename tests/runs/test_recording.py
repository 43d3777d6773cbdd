"""What an agent says and does, as it is written down: events, audit rows and counters that agree with each other."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import Struct

from app.events.reading import LoggedEvent, of_session
from app.events.recording import Actor
from app.postgres.reading import execute, rows, scalar
from app.processes.redacting import LONGEST, Redactor
from app.projects.rows import ProjectRow
from app.runners.base import (
    AgentEvent,
    Finished,
    Message,
    Notice,
    TextDelta,
    ToolFinished,
    ToolRunning,
    ToolStarted,
    Usage,
)
from app.runs.claiming import Claim
from app.runs.finishing import finish
from app.runs.recording import Recorder
from app.runs.rows import get_run
from app.sessions.messaging import next_queued, send
from app.sessions.rows import get_session, queued_messages
from app.tasks.rows import get_task
from tests.work import begin
from tests.workshop import Workshop

SECRET = "sk-ant-of-a-test-0123456789"


class Audited(Struct, frozen=True):
    """A row of the audit log."""

    tool: str
    status: str
    turn_number: int
    duration: int | None
    error: str | None
    input: dict[str, Any]


async def audit_log() -> list[Audited]:
    return await rows(
        Audited, "SELECT tool, status, turn_number, duration, error, input FROM audit_logs ORDER BY timestamp"
    )


@pytest.fixture
async def claim(project: ProjectRow) -> Claim:
    """A run whose program is about to begin."""
    claim = await begin(project.id, "Count the spokes")
    await execute("UPDATE agents SET status = 'running' WHERE id = $1", claim.agent_id)
    return claim


def recorder(claim: Claim, **env: str) -> Recorder:
    return Recorder(claim, "worker-1", Redactor(env))


async def told(claim: Claim, *kinds: str) -> list[LoggedEvent]:
    return [
        event
        for event in await of_session(claim.session_id, 0)
        if event.kind in kinds and event.subject == claim.run_id
    ]


async def write_one_by_one(claim: Claim, events: Sequence[AgentEvent], **env: str) -> Recorder:
    writer = recorder(claim, **env)
    for event in events:
        await writer.write([event])
    return writer


async def test_a_call_has_one_audit_row_from_its_start_to_its_end(claim: Claim) -> None:
    await write_one_by_one(
        claim,
        [
            ToolStarted(call_id="1", tool="Bash", input={"command": "make"}, turn=1),
            ToolRunning(call_id="1"),
            ToolFinished(call_id="1", status="complete", output={"stdout": "ok"}, duration_ms=120),
            ToolStarted(call_id="2", tool="WebFetch", input={"url": "http://x"}, turn=2),
            ToolFinished(call_id="2", status="denied"),
            ToolStarted(call_id="3", tool="Bash", input={"command": "false"}, turn=2),
            ToolFinished(call_id="3", status="error", error="exit code 1", duration_ms=3),
        ],
    )
    assert await audit_log() == [
        Audited("Bash", "complete", 1, 120, None, {"command": "make"}),
        Audited("WebFetch", "error", 2, None, "The call was refused.", {"url": "http://x"}),
        Audited("Bash", "error", 2, 3, "exit code 1", {"command": "false"}),
    ]
    calls, results = await told(claim, "tool_call"), await told(claim, "tool_result")
    assert [e.payload["call"] for e in calls] == [e.payload["call"] for e in results]
    assert [e.payload["status"] for e in results] == ["complete", "denied", "error"]


async def test_counters_agree_with_what_they_count(claim: Claim) -> None:
    writer = await write_one_by_one(
        claim,
        [
            Message(message_id="m1", text="I look.", turn=1),
            ToolStarted(call_id="1", tool="Bash", input={}, turn=1),
            ToolFinished(call_id="1", status="complete", duration_ms=10),
            ToolStarted(call_id="2", tool="Bash", input={}, turn=2),
            ToolFinished(call_id="2", status="complete", duration_ms=20),
            TextDelta(message_id="m2", text="I re"),
            TextDelta(message_id="m2", text="ad."),
            Message(message_id="m2", text="I read.", turn=3),
            ToolStarted(call_id="3", tool="Read", input={"file_path": "a"}, turn=3),
            Usage(input_tokens=1000, output_tokens=50, cost_usd=0.25),
        ],
    )
    await finish(claim, writer, Finished(turn_count=3, result="Done."))
    session, run = await get_session(claim.session_id), await get_run(claim.run_id)
    events = await of_session(claim.session_id, 0)
    assert session.message_count == sum(e.kind == "message" for e in events) == 2
    assert session.tool_call_count == sum(e.kind == "tool_call" for e in events) == 3
    assert session.tool_call_count == await scalar("SELECT count(*) FROM audit_logs WHERE agent_run_id = $1", run.id)
    assert [(s.tool, s.count, s.total_duration) for s in run.tool_calls] == [("Bash", 2, 30), ("Read", 1, 0)]
    assert (run.turn_count, (await get_task(claim.task_id)).turn_count) == (3, 3)
    # Tokens told on the way are kept when the end does not tell them again.
    assert (run.token_input_count, run.token_output_count, run.cost_usd_micros) == (1000, 50, 250_000)
    # The call that was cut off by the end is closed.
    assert [row.status for row in await audit_log()] == ["complete", "complete", "error"]


async def test_tokens_that_nobody_told_are_not_called_zero(claim: Claim) -> None:
    await finish(claim, recorder(claim), Finished())
    run = await get_run(claim.run_id)
    assert (run.token_input_count, run.token_output_count) == (None, None)


async def test_an_id_that_a_program_uses_twice_leaves_no_call_open(claim: Claim) -> None:
    writer = await write_one_by_one(claim, [ToolStarted(call_id="1", tool="Bash", input={"n": n}) for n in (1, 2)])
    await finish(claim, writer, Finished())
    assert [(row.status, row.input["n"]) for row in await audit_log()] == [("error", 1), ("error", 2)]


async def test_the_end_is_written_once(claim: Claim) -> None:
    await finish(claim, recorder(claim), Finished(error_type="process_exit", error="first"))
    await finish(claim, recorder(claim), Finished(error_type="timeout", error="second"))
    assert (await get_run(claim.run_id)).error == "first"
    assert len(await told(claim, "error")) == 1


async def test_what_was_being_written_when_the_run_ended_is_kept_as_a_message(claim: Claim) -> None:
    writer = await write_one_by_one(claim, [TextDelta(message_id="m1", text=text) for text in ("Half a ", "sentence")])
    assert [e.payload["partial"] for e in await told(claim, "message")] == [True, True]
    await finish(claim, writer, Finished(error_type="stopped"))
    (message,) = await told(claim, "message")
    assert message.payload["text"] == "Half a sentence"
    assert "partial" not in message.payload
    assert (await get_session(claim.session_id)).message_count == 1


class TestSecrets:
    """The value of a key never reaches the database."""

    @staticmethod
    async def stored(value: str = SECRET) -> int:
        tables = ("events", "audit_logs", "agent_runs", "agents", "tasks", "sessions", "worktree_steps", "run_details")
        found = [
            await scalar(f"SELECT count(*) FROM {table} x WHERE x::text LIKE $1", f"%{value}%") for table in tables
        ]
        return sum(found)

    async def test_in_anything_that_an_agent_says_or_does(self, claim: Claim) -> None:
        writer = await write_one_by_one(
            claim,
            [
                Message(message_id="m1", text=f"The key is {SECRET}."),
                TextDelta(message_id="m2", text=f"It is {SECRET}, I say"),
                ToolStarted(call_id="1", tool=f"Tool-{SECRET}", input={SECRET: [f"echo {SECRET}"]}),
                ToolFinished(call_id="1", status="complete", output={"stdout": [{"text": SECRET}]}),
                ToolStarted(call_id="2", tool="Bash", input={}),
                ToolFinished(call_id="2", status="error", error=f"no such key: {SECRET}"),
                Notice(text=SECRET, level="error"),
            ],
            ANTHROPIC_API_KEY=SECRET,
        )
        ending = Finished(error_type="process_exit", error=f"died with {SECRET}", result=f"result {SECRET}")
        await finish(claim, writer, ending)
        assert await self.stored() == 0
        counts = [e.payload.get("redacted") for e in await told(claim, "message", "tool_call", "tool_result", "error")]
        assert counts == [1, 3, 1, None, 1, 1, 1, None]
        assert (await get_run(claim.run_id)).error == "died with [redacted: ANTHROPIC_API_KEY]"
        assert (await told(claim, "message"))[0].payload["text"] == "The key is [redacted: ANTHROPIC_API_KEY]."

    @pytest.mark.parametrize("cut", range(1, len(SECRET), 4))
    async def test_that_comes_in_two_pieces(self, claim: Claim, cut: int) -> None:
        pieces = [f"The key is {SECRET[:cut]}", f"{SECRET[cut:]}, and s", "o on"]
        writer = await write_one_by_one(
            claim, [TextDelta(message_id="m1", text=piece) for piece in pieces], ANTHROPIC_API_KEY=SECRET
        )
        so_far = "".join(e.payload["text"] for e in await told(claim, "message"))
        assert so_far == "The key is [redacted: ANTHROPIC_API_KEY], and so on"
        await finish(claim, writer, Finished(error_type="stopped"))
        assert [e.payload["text"] for e in await told(claim, "message")] == [
            "The key is [redacted: ANTHROPIC_API_KEY], and so on"
        ]

    async def test_that_nobody_told_us_of_and_that_is_cut_off(self, claim: Claim) -> None:
        token = "ghp_" + "aB3dE5gH7jK9" * 3
        writer = await write_one_by_one(
            claim, [TextDelta(message_id="m1", text=text) for text in (f"A {token}, and ", token[:20], token[20:])]
        )
        await writer.write([TextDelta(message_id="m2", text=token)])
        await finish(claim, writer, Finished(error_type="stopped"))
        first, second = (e.payload for e in await told(claim, "message"))
        assert (first["text"], first["redacted"]) == ("A [redacted: GitHub token], and [redacted: GitHub token]", 2)
        assert (second["text"], second["redacted"]) == ("[redacted: GitHub token]", 1)
        assert await self.stored(token[:20]) == 0

    async def test_an_end_that_only_looks_like_one_is_not_lost(self, claim: Claim) -> None:
        writer = await write_one_by_one(claim, [TextDelta(message_id="m1", text="task")], ANTHROPIC_API_KEY=SECRET)
        await writer.write([TextDelta(message_id="m1", text=" s")])
        await finish(claim, writer, Finished(error_type="stopped"))
        assert [e.payload["text"] for e in await told(claim, "message")] == ["task s"]

    async def test_of_a_real_program(self, workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
        lines = [
            {"type": "system", "subtype": "init", "session_id": "n1", "model": "m"},
            {"type": "assistant", "message": {"id": "m1", "content": [
                {"type": "text", "text": SECRET},
                {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": f"echo {SECRET}"}},
            ]}},
            {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "t1", "content": SECRET}]}},
        ]  # fmt: skip
        program = f"import sys\nfor line in {[json.dumps(line) for line in lines]!r}: print(line, flush=True)\n"
        program += f"print({SECRET!r}, file=sys.stderr)\nsys.exit(5)\n"
        task = await workshop.task("Tell", agent=await workshop.python_agent("bob", program))
        await workshop.until(task, "error")
        (run,) = await workshop.runs(task)
        assert "[redacted: ANTHROPIC_API_KEY]" in run.error
        assert [(row.tool, row.status, row.turn_number) for row in await audit_log()] == [("Bash", "complete", 1)]
        assert await self.stored() == 0


async def test_what_no_database_holds_is_written_in_words(claim: Claim) -> None:
    hostile = "nul \0, lone \ud800, " + "x" * (LONGEST + 10)
    await write_one_by_one(
        claim,
        [Message(message_id='a"b <c>', text=hostile), ToolStarted(call_id="\0", tool="T\0", input={"\0": "\ud800"})],
    )
    (message,) = await told(claim, "message")
    assert message.payload["text"].startswith("nul ␀, lone ?, xxx")
    assert "more characters were not kept" in message.payload["text"]
    assert message.payload["message"].replace("-", "").isalnum()
    assert [row.input for row in await audit_log()] == [{"␀": "?"}]


async def test_a_batch_is_written_whole_or_not_at_all(claim: Claim) -> None:
    class Unwritable:
        """Stands for whatever a runner may hand on that JSON cannot hold."""

    before = len(await told(claim, "message", "tool_call"))
    with pytest.raises(TypeError):
        await recorder(claim).write(
            [Message(message_id="m1", text="First"), ToolStarted(call_id="1", tool="T", input={"x": Unwritable()})]
        )
    assert len(await told(claim, "message", "tool_call")) == before
    assert (await get_session(claim.session_id)).message_count == 0


async def test_a_message_leaves_the_queue_when_the_record_has_it(project: ProjectRow) -> None:
    claim = await begin(project.id)
    await send(claim.session_id, "Count the hub too.", Actor("person", "Jo"))
    recorder = Recorder(claim, "worker-1", Redactor({}))
    message = await next_queued(claim.session_id, ())
    recorder.expect(message)
    # The program may have it; should the server die now, it is asked again and not lost.
    assert await queued_messages(claim.session_id) == [message]
    assert await next_queued(claim.session_id, {message.id}) is None
    await recorder.write([Message(message_id="asked-1", text=message.text, role="user")])
    assert await queued_messages(claim.session_id) == []
    (told,) = [event for event in await of_session(claim.session_id, 0) if event.kind == "message"]
    assert (told.actor, told.payload["text"]) == ("Jo", "Count the hub too.")
