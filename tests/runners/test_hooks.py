"""Any command can ask before it does something: small scripts that ask well, and the ways in which one asks badly."""

import asyncio
import json
import shlex
from pathlib import Path

import msgspec
import pytest

from app.processes import trees
from app.processes.ask_hook import MAX_CALL
from app.processes.sandbox import Sandbox, available, writable
from app.processes.system_files import system
from app.runners import hooks
from app.runners.base import Answer, Message, RunSpec, ToolFinished, ToolRunning, ToolStarted
from app.runners.permissions import Rules
from tests.runners.running import Person, collect, make_spec, only, until_exists
from tests.runners.test_acp_asking import Nobody
from tests.runners.test_command import command, run, sh

ASK = Rules(ask=("Bash(touch*)",), deny=("Bash(rm*)",))
CALL = {"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "touch done.txt"}}
SCRIPT = """
cat > /dev/null
if printf '%s' '{call}' | "$AGENTPANE_ASK"; then touch done.txt; else echo "I was told $?"; fi
"""


def asking(call: object = CALL) -> tuple[str, ...]:
    return sh(SCRIPT.replace("{call}", json.dumps(call)))


def call(command: str, **more: object) -> dict[str, object]:
    return {**CALL, "tool_input": {"command": command}, **more}


def settings(tmp_path: Path, person: object, **more: object) -> dict[str, object]:
    return {"allowed_tools": ("Bash", "Edit"), "rules": ASK, "ask": person, **more}


async def test_a_call_waits_longer_than_the_run_may_be_silent_and_then_runs(tmp_path):
    person = Person(Answer(allowed=True), after_s=2)
    events = await run(tmp_path, asking(), **settings(tmp_path, person, idle_timeout_s=1, timeout_s=20))
    [question] = person.asked
    assert (question.tool, question.input, question.rule) == ("Bash", CALL["tool_input"], "Bash(touch*)")
    assert (tmp_path / "work tree" / "done.txt").exists()
    [started], [_], [ended] = (only(kind, events) for kind in (ToolStarted, ToolRunning, ToolFinished))
    assert (started.tool, started.input, started.call_id) == ("Bash", CALL["tool_input"], question.call_id)
    assert ended.status == "complete"
    assert "does not tell how it ended" in ended.output["content"]
    assert events[-1].error_type is None


async def test_a_denied_call_does_not_run_and_the_program_is_told_the_note(tmp_path):
    person = Person(Answer(allowed=False, note="Not here.", by="Ada"))
    events = await run(tmp_path, asking(), **settings(tmp_path, person))
    assert not (tmp_path / "work tree" / "done.txt").exists()
    why = "Ada refused this call: Not here."
    assert [(each.status, each.error) for each in only(ToolFinished, events)] == [("denied", why)]
    said, told = events[-1].result.splitlines()
    output = {"hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": why}
    assert json.loads(said) == {"hookSpecificOutput": output}
    assert told == "I was told 2"
    assert why in [each.text for each in events if getattr(each, "level", "") == "info"]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (call("rm -rf /"), "The rule Bash(rm*) refuses this call."),
        (call("echo; rm x"), "The rule Bash(rm*) refuses this call."),
        ({**CALL, "tool_name": "WebFetch"}, "WebFetch is not among this agent's allowed tools (Bash, Edit)."),
        ({"tool_name": "Write", "tool_input": {"file_path": "/etc/x"}}, "Files are changed inside the worktree only"),
    ],
)
async def test_what_the_rules_or_the_ceiling_refuse_is_refused_without_asking(tmp_path, asked, why):
    person = Person(Answer(allowed=True))
    events = await run(tmp_path, asking(asked), **settings(tmp_path, person))
    assert person.asked == []
    [ended] = only(ToolFinished, events)
    assert ended.status == "denied"
    assert why in ended.error
    assert "I was told 2" in events[-1].result


async def test_what_no_rule_is_about_runs_without_asking(tmp_path):
    events = await run(tmp_path, asking(call("echo hello")), **settings(tmp_path, Nobody()))
    assert (tmp_path / "work tree" / "done.txt").exists()
    assert only(ToolFinished, events)[0].status == "complete"


async def test_a_program_may_tell_how_a_call_ended(tmp_path):
    after = {"hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_use_id": "t-1"}
    script = f"""
    echo {shlex.quote(json.dumps(call("true", tool_use_id="t-1")))} | "$AGENTPANE_ASK"
    echo {shlex.quote(json.dumps({**after, "tool_response": {"exit": 0}}))} | "$AGENTPANE_ASK"
    echo {shlex.quote(json.dumps({**after, "tool_use_id": "unknown"}))} | "$AGENTPANE_ASK"
    """
    events = await run(tmp_path, sh(script), **settings(tmp_path, Nobody()))
    [ended] = only(ToolFinished, events)
    assert (ended.call_id, ended.status, ended.output) == ("t-1", "complete", {"exit": 0})


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "one JSON object"),
        (b"[1]", "one JSON object"),
        (b'{"tool_name": "Bash"', "one JSON object"),
        (b'{"tool_name": "\xff"}', "one JSON object"),
        (b"{}", "needs a tool_name"),
        (b'{"tool_name": 7}', "needs a tool_name"),
        (b'{"tool_name": "a\\nb"}', "needs a tool_name"),
        (b'{"tool_name": "Bash", "tool_use_id": ["x"]}', "needs a tool_use_id"),
        (b'{"tool_name": "Bash", "hook_event_name": "Stop"}', "not at 'Stop'"),
        (b'{"tool_name": "Bash", "tool_input": ' + b"[" * 200 + b"]" * 200 + b"}", "at most 50 deep"),
        (b"[" * 100_000, "one JSON object"),
        (b" " * (MAX_CALL + 1), "larger than 8 MiB"),
    ],
)
async def test_what_is_no_call_is_refused(tmp_path, said, why):
    (tmp_path / "said").write_bytes(said)
    person = Person(Answer(allowed=True))
    events = await run(tmp_path, sh('"$AGENTPANE_ASK" < ../said; echo "ended with $?"'), **settings(tmp_path, person))
    assert events[-1].result == "ended with 2"
    assert any(why in getattr(each, "text", "") for each in events)
    assert (person.asked, only(ToolStarted, events)) == ([], [])


class Waiting:
    """A run whose program keeps still, so that a test may talk to its socket by itself."""

    def __init__(self, tmp_path: Path, person: object) -> None:
        script = sh('echo "$AGENTPANE_ASK" > asks; tail -f /dev/null')
        self.spec = make_spec(tmp_path, command=script, **settings(tmp_path, person))

    async def __aenter__(self) -> "Waiting":
        self.live = await command.start(self.spec)
        self.collecting = asyncio.create_task(collect(self.live))
        program = Path((await until_exists(self.spec.cwd / "asks")).read_text().strip())
        self.socket = program.parent / "socket"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.live.stop()
        self.events = await self.collecting
        assert trees.find_marked(self.spec.run_id) == []

    async def say(self, said: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(self.socket)
        writer.write(said)
        return reader, writer

    async def ask(self, asked: object = CALL) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        told = json.dumps(asked).encode()
        return await self.say(b"%d\n%b" % (len(told), told))


async def answer_of(reader: asyncio.StreamReader) -> dict[str, object]:
    async with asyncio.timeout(20):
        return json.loads(await reader.read())


@pytest.mark.parametrize("said", [b"\n", b"-1\n", b"99999999999\n", b"x" * 200_000, b"12\n{}"])
async def test_what_does_not_keep_to_the_protocol_is_refused(tmp_path, monkeypatch, said):
    monkeypatch.setattr(hooks, "TOLD_S", 0.5)
    async with Waiting(tmp_path, Nobody()) as waiting:
        reader, writer = await waiting.say(said)
        assert (await answer_of(reader))["code"] == 2
        writer.close()


async def test_who_hangs_up_takes_the_question_back(tmp_path):
    nobody = Nobody()
    async with Waiting(tmp_path, nobody) as waiting:
        _, writer = await waiting.ask()
        await asyncio.wait_for(nobody.asked.wait(), 20)
        writer.close()
        await asyncio.wait_for(nobody.taken_back.wait(), 20)
    assert only(ToolFinished, waiting.events)[0].status == "denied"


async def test_a_flood_of_questions_is_kept_to_a_measure(tmp_path):
    person = Person(Answer(allowed=True), after_s=1)
    async with Waiting(tmp_path, person) as waiting:
        asked = [await waiting.ask() for _ in range(hooks.MOST_WAITING + 5)]
        answers = [await answer_of(reader) for reader, _ in asked]
        assert sorted(answer["code"] for answer in answers) == [0] * hooks.MOST_WAITING + [2] * 5
        assert [answer["err"] for answer in answers if answer["code"]] == [f"{hooks.BUSY}\n"] * 5
    assert len(person.asked) == hooks.MOST_WAITING
    assert len({each.call_id for each in person.asked}) == hooks.MOST_WAITING


async def test_the_same_id_again_is_another_call(tmp_path):
    person = Person(Answer(allowed=True), after_s=0.3)
    async with Waiting(tmp_path, person) as waiting:
        asked = [await waiting.ask({**CALL, "tool_use_id": "t-1"}) for _ in range(2)]
        assert [(await answer_of(reader))["code"] for reader, _ in asked] == [0, 0]
    assert len({each.call_id for each in person.asked}) == 2


async def test_a_stop_takes_the_question_back(tmp_path):
    nobody = Nobody()
    async with Waiting(tmp_path, nobody) as waiting:
        await waiting.ask()
        await asyncio.wait_for(nobody.asked.wait(), 20)
    assert nobody.taken_back.is_set()
    assert waiting.events[-1].error_type == "stopped"


async def test_without_an_answer_the_call_does_not_run(tmp_path):
    """As when the server is gone, and the program not yet."""
    events = await run(tmp_path, sh('rm "${AGENTPANE_ASK%/*}/socket"' + SCRIPT.replace("{call}", json.dumps(CALL))))
    assert events[-1].result == "I was told 2"
    assert not (tmp_path / "work tree" / "done.txt").exists()


async def test_the_folder_of_a_run_may_lie_as_deep_as_it_likes(tmp_path):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    person = Person(Answer(allowed=True))
    await run(deep, asking(), **settings(deep, person))
    assert len(person.asked) == 1


def walls(spec: RunSpec) -> Sandbox:
    return Sandbox(program=available().program, mounts=(*system(), *writable(spec.cwd)), home=Path(spec.env["HOME"]))


@pytest.mark.skipif(bool(available().why_not), reason=f"no sandbox here: {available().why_not}")
async def test_from_inside_of_its_walls_a_program_reaches_its_own_socket_and_no_other(tmp_path):
    person = Person(Answer(allowed=True))
    async with Waiting(tmp_path, Nobody()) as other:
        script = f"""
        ls /run/agentpane/ | tr '\\n' ' '
        ls {shlex.quote(str(other.socket))} {shlex.quote(str(tmp_path))} 2>&1
        touch /run/agentpane/mine 2>&1
        """
        folder = tmp_path / "second"
        folder.mkdir()
        spec = make_spec(folder, command=sh(script + SCRIPT.replace("{call}", json.dumps(CALL))))
        spec = msgspec.structs.replace(spec, sandbox=walls(spec), **settings(folder, person))
        events = await collect(await command.start(spec))
    said = "\n".join(each.text for each in only(Message, events))
    assert said.startswith("ask ask_hook.py socket ")
    assert said.count("No such file or directory") >= 1
    assert "Read-only file system" in said
    assert str(other.socket.parent.parent.name) not in said.partition("cannot access")[0]
    assert len(person.asked) == 1
    assert (spec.cwd / "done.txt").exists()


UNASKED = """#!/bin/sh
echo '{"type":"thread.started","thread_id":"t"}'
echo '{"type":"item.started","item":{"id":"1","type":"command_execution","command":"COMMAND"}}'
echo '{"type":"item.completed","item":{"id":"1","type":"command_execution","command":"COMMAND","exit_code":0}}'
tail -f /dev/null
"""


@pytest.mark.parametrize(("ran", "ending"), [("touch x", "tool_denied"), ("rm x", "tool_denied"), ("ls", "timeout")])
async def test_a_known_program_that_runs_what_it_had_to_ask_for_is_ended(tmp_path, ran, ending):
    program = tmp_path / "codex"
    program.write_text(UNASKED.replace("COMMAND", f"/bin/bash -lc '\\''{ran}'\\''"))
    program.chmod(0o700)
    argv = (str(program), "exec", "--json", "{prompt}")
    events = await run(tmp_path, argv, **settings(tmp_path, Nobody(), timeout_s=30 if ending == "tool_denied" else 2))
    assert events[-1].error_type == ending
    if ending == "tool_denied":
        assert events[-1].error.startswith("The program did not ask for a call of shell. The rule Bash(")
