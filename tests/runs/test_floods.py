"""Agents that never stop talking, or talk nonsense: a clear state and sentence, bounded memory, nothing lost."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import psutil
import pytest

from app.audit.tables import AuditLog
from app.events.reading import LoggedEvent, of_session
from app.postgres.reading import scalar
from app.runners import allowance
from app.tasks.rows import TaskRow
from tests.visitor import Visitor
from tests.workshop import Workshop

pytestmark = pytest.mark.usefixtures("walls")
SAYS = """
import json, os, sys
def say(kind, **more):
    os.write(1, json.dumps({"type": kind, "session_id": "s", **more}).encode() + b"\\n")
def text(number, words):
    say("assistant", message={"id": f"m{number}", "content": [{"type": "text", "text": words}]})
def call(id, **given):
    use = {"type": "tool_use", "id": id, "name": "Bash", "input": given}
    say("assistant", message={"id": f"of-{id}", "content": [use]})
def answer(id, content="ok"):
    say("user", message={"content": [{"type": "tool_result", "tool_use_id": id, "content": content}]})
say("system", subtype="init", model="loud")
"""


async def ended(workshop: Workshop, program: str, stage: str = "waiting_approval") -> tuple[TaskRow, list[LoggedEvent]]:
    agent = await workshop.python_agent("loud", program)
    task = await workshop.until(await workshop.task("Loud", agent=agent), stage)  # type: ignore[arg-type]
    return task, await of_session(str(task.session_id), 0, 100_000)


def texts(events: list[LoggedEvent]) -> list[str]:
    return [str(event.payload.get("text", "")) for event in events]


async def answers(visitor: Visitor, path: str, until: Callable[[], bool]) -> float:
    """The slowest answer of the server in seconds, asked again and again."""
    slowest = 0.0
    while not until():
        began = time.monotonic()
        await visitor.page(path)
        slowest = max(slowest, time.monotonic() - began)
        await asyncio.sleep(0.05)
    return slowest


async def during(workshop: Workshop, visitor: Visitor, work: Awaitable[object]) -> tuple[int, float]:
    """By how many bytes this process grew while that went on, and how slow its slowest page was."""
    process = psutil.Process()
    before, most, done = process.memory_info().rss, 0, False

    async def watch() -> None:
        nonlocal most
        while not done:
            most = max(most, process.memory_info().rss - before)
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    asking = asyncio.create_task(answers(visitor, f"/projects/{workshop.project.id}", lambda: done))
    await work
    done = True
    await watching
    return most, await asking


@pytest.mark.parametrize("megabytes", [256, pytest.param(1024, marks=pytest.mark.soak)])
async def test_a_flood_of_text(megabytes: int, workshop: Workshop, visitor: Visitor) -> None:
    writes = megabytes * 16
    program = (
        f"import os\nfor _ in range({writes}): os.write(1, b'x' * 1023 + b'\\n' + b'y' * (63 * 1024 - 1) + b'\\n')"
    )
    grown, slowest = await during(workshop, visitor, ended(workshop, program))
    session = await scalar("SELECT id FROM sessions ORDER BY created_at DESC LIMIT 1")
    said = texts(await of_session(session, 0, 100_000))
    assert any("printed more than 1 MiB of text" in text for text in said)
    assert any("more bytes of output were not kept" in text for text in said)
    assert (
        await scalar("SELECT sum(octet_length(payload::text)) FROM events WHERE session_id = $1", session) < 4_000_000
    )
    assert grown < 60_000_000
    assert slowest < 2


async def test_messages_without_end_are_kept_to_a_measure(
    workshop: Workshop, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "MAX_RUN_BYTES", 3_000_000)
    program = (
        SAYS
        + "for n in range(400): text(n, f'{n} ' + 'words ' * 10_000)\nsay('result', subtype='success', result='done')"
    )
    grown, slowest = await during(workshop, visitor, ended(workshop, program))
    session = await scalar("SELECT id FROM sessions ORDER BY created_at DESC LIMIT 1")
    events = await of_session(session, 0, 100_000)
    said = [text for text in texts(events) if "words" in text]
    assert [int(text.split()[0]) for text in said] == list(range(400)), "each is there, in order"
    assert len(said[0]) > 60_000
    assert said[399].endswith("more characters were cut]")
    assert sum("only the beginning of each text is kept" in text for text in texts(events)) == 1
    assert (
        await scalar("SELECT sum(octet_length(payload::text)) FROM events WHERE session_id = $1", session) < 5_000_000
    )
    assert (grown < 60_000_000, slowest < 2) == (True, True), (grown, slowest)


async def test_an_agent_that_does_more_than_any_real_one_is_ended(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "MAX_RUN_EVENTS", 300)
    program = SAYS + "n = 0\nwhile True:\n    n += 1\n    call(f'c{n}', command='true')"
    task, events = await ended(workshop, program, "error")
    run = (await workshop.runs(task))[0]
    assert run.error_type == "process_exit"
    assert "reported more than 300 things in one run" in (run.error or "")
    calls = [event for event in events if event.kind == "tool_call"]
    assert 250 < len(calls) <= 300
    assert await AuditLog.count().where(AuditLog.agent_run_id == run.id) == len(calls)
    assert await AuditLog.count().where(AuditLog.status.is_in(["pending", "running"])) == 0


async def test_nonsense_of_every_kind_between_the_lines(workshop: Workshop, visitor: Visitor) -> None:
    program = (
        SAYS
        + r"""
text(0, "first")
os.write(1, b'{"type": "assistant", "message": {"id"\n')
os.write(1, b'{"type": "no-such-kind"}\n{"type": "assistant"}\n[1, 2]\nnull\n{}\n')
answer("nobody")
call("c1", command="one")
call("c1", command="two")
answer("c1")
answer("c1", "again")
call("c2", command="large")
answer("c2", "z" * 5_000_000)
os.write(1, b"caf\xe9 \xff\xfe \x1b[31mred\x1b[0m \x1b]0;title\x07 \x00\n")
text(1, "\x1b[2J\x1b[31mred\x1b[0m and \u202e right to left")
os.write(1, b'{"deep": ' + b'[' * 100_000 + b'\n')
os.write(1, b"w" * 9_000_000 + b"\n")
call("i" * 5_000, command="long id")
answer("i" * 5_000)
call("../../etc <script>", command="strange id")
answer("../../etc <script>")
text(2, "last")
say("result", subtype="success", result="done", usage={"input_tokens": -5, "output_tokens": 10**30})
"""
    )
    task, events = await ended(workshop, program)
    said = texts(events)
    assert [text for text in said if text in ("first", "last")] == ["first", "last"]
    run = (await workshop.runs(task))[0]
    assert (run.status, run.error_type) == ("completed", None)
    for sentence in (
        '{"type": "assistant", "message": {"id"',
        "reported 'no-such-kind', which AgentPane does not know",
        "A 'assistant' line of Claude Code has an unknown shape",
        "A result came for a call that never began",
        "more bytes, cut]",
    ):
        assert any(sentence in text for text in said), sentence
    calls = {event.payload["audit"]: event.payload for event in events if event.kind == "tool_call"}
    results = {event.payload["audit"]: event.payload for event in events if event.kind == "tool_result"}
    assert calls.keys() == results.keys()
    told = [(calls[audit]["input"]["command"], result["status"]) for audit, result in results.items()]
    assert told == [
        ("one", "error"), ("two", "complete"), ("large", "complete"), ("strange id", "complete"), ("long id", "error"),
    ]  # fmt: skip
    large = await scalar("SELECT length(output::text) FROM audit_logs WHERE input ->> 'command' = 'large'")
    assert 250_000 < large < 300_000
    page = await visitor.page(f"/sessions/{task.session_id}")
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "<script>" not in page.replace("<script ", "")
    assert json.loads(json.dumps(said))


async def test_nothing_is_lost_of_a_chatty_one(workshop: Workshop) -> None:
    """Twelve hundred things at once, faster than they can be written: each has its place."""
    program = SAYS + (
        "for n in range(600):\n    call(f'c{n}', command=str(n)); answer(f'c{n}')\n"
        "say('result', subtype='success', result='done')"
    )
    task, events = await ended(workshop, program)
    commands = [int(event.payload["input"]["command"]) for event in events if event.kind == "tool_call"]
    assert commands == list(range(600))
    assert sum(event.kind == "tool_result" for event in events) == 600
    assert await AuditLog.count().where(AuditLog.status == "complete") == 600
    assert await scalar("SELECT tool_call_count FROM sessions WHERE id = $1", task.session_id) == 600
