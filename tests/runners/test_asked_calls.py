"""A call is told once, whether a program's hook or its output tells of it first, and by whatever name."""

from typing import Any

import pytest

from app.runners.asked_calls import AskedCalls
from app.runners.base import AgentEvent, ToolFinished, ToolRunning, ToolStarted
from app.runners.hook_calls import HookCall
from app.runners.tool_names import for_rules


class Record:
    """What was told, in short, and what ran unasked."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.unasked: list[tuple[str, dict[str, Any]]] = []
        self.calls = AskedCalls(self.emit, self.ran_unasked)

    async def emit(self, event: AgentEvent) -> None:
        match event:
            case ToolStarted():
                self.told.append(f"{event.call_id} started")
            case ToolRunning():
                self.told.append(f"{event.call_id} runs")
            case ToolFinished():
                self.told.append(f"{event.call_id} {event.status}")

    async def ran_unasked(self, tool: str, given: dict[str, Any]) -> None:
        self.unasked.append((tool, given))

    async def ask(self, call_id: str, refusal: str = "", command: str = "ls", tool: str = "Bash") -> None:
        given = {"command": command}
        known = await self.calls.asked(HookCall(id=call_id, tool=tool, input=given), 1)
        await self.calls.decided(known, refusal, is_last_word=False)

    async def start(self, call_id: str, command: str = "ls", tool: str = "Bash") -> None:
        await self.calls.heard(ToolStarted(call_id=call_id, tool=tool, input={"command": command}))

    async def end(self, call_id: str, status: Any = "complete") -> None:
        await self.calls.heard(ToolFinished(call_id=call_id, status=status))


async def test_by_its_output_first():
    record = Record()
    await record.start("a")
    await record.ask("a")
    await record.end("a")
    assert (record.told, record.unasked) == (["a started", "a runs", "a complete"], [])


async def test_by_its_hook_first():
    record = Record()
    await record.ask("a")
    await record.start("a")
    await record.end("a")
    assert (record.told, record.unasked) == (["a started", "a runs", "a complete"], [])


@pytest.mark.parametrize("first", ["hook", "output"])
async def test_a_refusal_stands_whatever_the_output_makes_of_it(first):
    record = Record()
    if first == "output":
        await record.start("a")
    await record.ask("a", "No.")
    if first == "hook":
        await record.start("a")
    await record.end("a", "error")
    assert (record.told, record.unasked) == (["a started", "a denied"], [])


async def test_a_program_whose_output_has_other_names_for_its_calls():
    record = Record()
    await record.ask("call-1", "No.", "echo 'a b'")
    await record.ask("call-2", command="echo 'a b'")
    await record.start("item-1", """/bin/bash -lc "echo 'a b'\"""", tool="shell")
    await record.end("item-1")
    await record.start("item-2", "/bin/bash -lc 'rm x'", tool="shell")
    await record.end("item-2")
    assert record.told == [
        "call-1 started", "call-1 denied", "call-2 started", "call-2 runs", "call-2 complete",
        "item-2 started", "item-2 complete",
    ]  # fmt: skip
    assert record.unasked == [("shell", {"command": "/bin/bash -lc 'rm x'"})]


async def test_a_call_that_runs_although_it_was_refused_is_seen():
    record = Record()
    await record.ask("a", "No.")
    await record.start("a")
    await record.end("a")
    assert record.unasked == [("Bash", {"command": "ls"})]


async def test_a_second_call_under_an_id_is_told_as_ever():
    record = Record()
    for _ in range(2):
        await record.start("same")
    await record.end("same")
    await record.end("nobody")
    assert record.told == ["same started", "same started", "same complete", "nobody complete"]


async def test_what_only_the_hook_told_ends_with_the_program():
    record = Record()
    await record.ask("a")
    await record.calls.asked(HookCall(id="b", tool="Bash", input={}), 1)
    await record.start("c", "another command")
    await record.calls.close(is_success=True)
    assert record.told == ["a started", "a runs", "b started", "c started", "a complete", "b error"]


PATCH = "*** Begin Patch\n*** Update File: src/a.py\n*** Move to: src/b.py\n@@\n-x\n+y\n*** End Patch"


@pytest.mark.parametrize(
    ("tool", "given", "known"),
    [
        ("Bash", {"command": "ls", "timeout": 5}, [("Bash", {"command": "ls", "timeout": 5})]),
        ("shell", {"command": ["bash", "-lc", "a b"]}, [("Bash", {"command": "bash -lc 'a b'"})]),
        ("exec_command", {"cmd": "ls"}, [("Bash", {"cmd": "ls", "command": "ls"})]),
        ("apply_patch", {"command": PATCH}, [("Edit", {"file_path": each}) for each in ("src/a.py", "src/b.py")]),
        ("apply_patch", {"command": "?"}, [("Edit", {"command": "?"})]),
        ("file_change", {"changes": [{"path": "/w/a.py"}]}, [("Edit", {"file_path": "/w/a.py"})]),
        ("write", {"filePath": "/a", "content": ""}, [("Write", {"filePath": "/a", "content": "", "file_path": "/a"})]),
        ("mcp__x__y", {"q": 1}, [("mcp__x__y", {"q": 1})]),
    ],
)
def test_tools_and_arguments_as_the_rules_know_them(tool, given, known):
    assert for_rules(tool, given) == known
