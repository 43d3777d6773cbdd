"""The ACP runner with a program of a few lines that speaks the protocol well, badly, or not at all."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.processes import trees
from app.runners.acp import dialogue, runner
from app.runners.base import (
    Finished,
    Message,
    Notice,
    Rested,
    RunSpec,
    Started,
    TextDelta,
    ToolFinished,
    ToolRunning,
    ToolStarted,
)
from app.runners.measuring import measured
from app.runners.registry import RUNNERS
from tests.runners.running import collect, make_spec, only, until_exists

pytest.importorskip("acp")
acp = RUNNERS["acp"]
AGENT = Path(__file__).with_name("acp_agent.py")
DEFAULT_TOOLS = ("Read", "Edit", "Bash", "Glob", "Grep")


def spec_for(tmp_path: Path, *scene: str, **wanted: object) -> RunSpec:
    command = (sys.executable, str(AGENT), *scene)
    return make_spec(tmp_path, command=command, **{"allowed_tools": DEFAULT_TOOLS, **wanted})


async def run(spec: RunSpec) -> list[Any]:
    events = await collect(await acp.start(spec))
    assert trees.find_marked(spec.run_id) == []
    return events


def heard(spec: RunSpec) -> list[dict[str, Any]]:
    """Every message that the program was sent."""
    return [json.loads(line) for line in (spec.cwd / "heard.jsonl").read_text().splitlines()]


def told(events: list[Any]) -> list[str]:
    return [notice.text for notice in only(Notice, events)]


async def test_a_conversation_becomes_events(tmp_path, caplog):
    events = await run(spec_for(tmp_path, "journey", prompt="Greet."))
    assert caplog.records == []  # What programs tell in words of their own is passed over.
    assert only(Started, events)[0].pid
    assert only(Started, events)[-1].native_session_id == "s-1"
    assert only(Started, events)[-1].model == "small"
    assert [(message.text, message.turn) for message in only(Message, events)] == [
        ("I begin now.", 1),
        ("I was asked: Greet.", 2),
    ]
    for message in only(Message, events):
        deltas = [delta.text for delta in only(TextDelta, events) if delta.message_id == message.message_id]
        assert "".join(deltas) == message.text
    [call] = only(ToolStarted, events)
    assert (call.tool, call.input, call.turn) == ("bash", {"command": "echo hello; touch done.txt"}, 1)
    [ended] = only(ToolFinished, events)
    assert (ended.status, ended.output) == ("complete", {"output": "hello\n"})
    done = events[-1]
    assert (done.error_type, done.result, done.turn_count) == (None, "I was asked: Greet.", 2)
    assert (done.usage.input_tokens, done.usage.output_tokens, done.usage.cost_usd) == (105, 20, 0.5)
    assert "Plan:\n[x] Write\n[ ] Rest" in told(events)


async def test_the_program_is_greeted_and_made_to_ask(tmp_path):
    spec = spec_for(tmp_path, "journey", model="large", system_prompt="Be kind.")
    await run(spec)
    messages = {message["method"]: message.get("params") for message in heard(spec) if "method" in message}
    assert messages["initialize"]["clientCapabilities"] == {
        "fs": {"readTextFile": False, "writeTextFile": False},
        "terminal": False,
    }
    assert messages["session/new"]["cwd"] == str(spec.cwd)
    assert messages["session/set_mode"]["modeId"] == "default"
    assert messages["session/set_config_option"] == {"sessionId": "s-1", "configId": "m", "value": "large"}
    assert [part["text"] for part in messages["session/prompt"]["prompt"]] == ["Be kind.", "Do it."]


async def test_a_model_that_is_not_offered_is_told(tmp_path):
    events = await run(spec_for(tmp_path, "journey", model="huge"))
    assert "The program does not offer the model huge; it uses small." in told(events)


async def test_a_call_is_measured_from_when_it_may_run(tmp_path):
    spec = spec_for(tmp_path, "held")
    (spec.cwd / "release").touch()
    events = [event async for event in measured((await acp.start(spec)).events())]
    assert only(ToolFinished, events)[0].duration_ms > 0
    assert len(only(ToolRunning, events)) == 1


async def test_tokens_that_nobody_told_are_unknown(tmp_path):
    done = (await run(spec_for(tmp_path, "silent_about_tokens")))[-1]
    assert (done.usage.input_tokens, done.usage.output_tokens, done.usage.cost_usd) == (None, None, None)


async def test_a_conversation_goes_on_and_its_past_is_not_told_again(tmp_path):
    spec = spec_for(tmp_path, "journey", resume="s-1", prompt="And now?", system_prompt="Be kind.")
    events = await run(spec)
    assert [message.text for message in only(Message, events)] == ["I begin now.", "I was asked: And now?"]
    assert [call.call_id for call in only(ToolStarted, events)] == ["c1"]
    assert events[-1].native_session_id == "s-1"
    assert told(events) == ["Plan:\n[x] Write\n[ ] Rest"]


@pytest.mark.parametrize(("scene", "resume"), [(("journey",), "s-0"), (("journey", "no-load"), "s-1")])
async def test_a_conversation_that_cannot_go_on_begins_afresh_and_says_so(tmp_path, scene, resume):
    events = await run(spec_for(tmp_path, *scene, resume=resume))
    assert "starts afresh" in told(events)[0]
    assert (events[-1].error_type, events[-1].native_session_id) == (None, "s-1")


async def test_messages_go_on_in_the_live_conversation(tmp_path):
    queued = ["Now the second part.", None]

    async def next_message() -> str | None:
        return queued.pop(0)

    events = await run(spec_for(tmp_path, "journey", next_message=next_message))
    said = [(message.role, message.text) for message in only(Message, events)]
    assert said[1:3] == [("assistant", "I was asked: Do it."), ("user", "Now the second part.")]
    assert (events[-1].turn_count, events[-1].usage.output_tokens) == (4, 40)


async def test_the_turn_limit_ends_the_run(tmp_path):
    events = await run(spec_for(tmp_path, "loop", max_turns=3))
    assert (events[-1].error_type, events[-1].turn_count) == ("turn_limit", 3)
    assert "3 turns" in events[-1].error


async def test_a_program_that_does_not_heed_the_limit_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(dialogue, "CANCEL_S", 0.5)
    events = await run(spec_for(tmp_path, "ignores_cancel", max_turns=1))
    assert events[-1].error_type == "turn_limit"


@pytest.mark.parametrize("allowed", [("Read", "Edit"), ("Bash(git status:*)",)])
async def test_what_is_not_allowed_is_refused_and_the_model_is_told_why(tmp_path, allowed):
    spec = spec_for(tmp_path, "refuses", allowed_tools=allowed)
    events = await run(spec)
    assert [call.status for call in only(ToolFinished, events)] == ["denied"]
    assert not only(ToolRunning, events)
    assert not (spec.cwd / "forbidden.txt").exists()
    assert "That call was refused" in events[-1].result
    assert only(ToolFinished, events)[0].error in events[-1].result
    assert events[-1].error_type is None


async def test_a_program_that_acts_without_asking_is_ended(tmp_path):
    events = await run(spec_for(tmp_path, "acts_unasked", allowed_tools=("Read",)))
    assert events[-1].error_type == "tool_denied"
    assert "without asking" in events[-1].error
    assert "Bash is not among" in events[-1].error


@pytest.mark.parametrize("allowed", [("Bash",), ("Edit",)])
async def test_reading_without_asking_ends_nothing(tmp_path, allowed):
    events = await run(spec_for(tmp_path, "reads_unasked", allowed_tools=allowed))
    [call] = only(ToolStarted, events)
    assert (call.tool, call.input) == ("read", {"title": "read", "paths": ["/etc/hostname"]})
    assert only(ToolFinished, events)[0].output == {"content": "host"}
    assert events[-1].error_type is None


async def test_no_program_is_told_yes_for_ever_by_accident(tmp_path):
    events = await run(spec_for(tmp_path, "no_way_to_say_yes"))
    assert events[-1].result == "chosen: None"
    assert [call.status for call in only(ToolFinished, events)] == ["denied"]


async def test_every_call_has_one_beginning_and_one_end(tmp_path):
    events = await run(spec_for(tmp_path, "ids"))
    assert [call.call_id for call in only(ToolStarted, events)] == ["nobody", "same", "same#2", "open"]
    assert [(call.call_id, call.status, call.error) for call in only(ToolFinished, events)] == [
        ("nobody", "complete", None),
        ("same", "complete", None),
        ("same#2", "complete", None),
        ("open", "error", "interrupted"),
    ]


async def test_what_cannot_be_understood_is_told_and_passed_over(tmp_path):
    events = await run(spec_for(tmp_path, "noise"))
    assert events[-1].error_type is None
    assert events[-1].result == "-32601 -32602 \x1b[31mred\x1b[0m \ufffd ?"
    assert sum("no message" in text for text in told(events)) == 7
    assert sum("nobody asked" in text for text in told(events)) == 1
    assert sum("'never_heard_of'" in text for text in told(events)) == 1
    assert sum("unknown shape" in text for text in told(events)) == 1


async def test_much_that_cannot_be_understood_is_not_told_for_ever(tmp_path):
    events = await run(spec_for(tmp_path, "much_noise"))
    assert len(told(events)) == 21
    assert events[-1].result == "Quiet."


async def test_a_long_line_is_told_and_a_longer_one_is_said_to_be_lost(tmp_path):
    events = await run(spec_for(tmp_path, "long_line"))
    assert "more characters were cut]" in only(Message, events)[0].text
    assert "more characters were cut]" in only(ToolFinished, events)[0].output["output"]
    assert told(events) == ["The program told something in a line of more than 16 MiB; it is not kept."]
    assert events[-1].result == "After it."


async def test_a_lost_answer_ends_the_run_with_a_reason(tmp_path):
    events = await run(spec_for(tmp_path, "long_answer"))
    assert events[-1].error_type == "process_exit"
    assert "more than 16 MiB" in events[-1].error


async def test_a_flood_is_read_no_faster_than_it_is_recorded(tmp_path):
    pieces = 40_000
    before = _peak_kb()
    live = await acp.start(spec_for(tmp_path, "flood", prompt=str(pieces)))
    heard_chars = 0
    async with asyncio.timeout(120):
        async for event in live.events():
            heard_chars += len(event.text) if isinstance(event, TextDelta) else 0
            if heard_chars == 1000:
                await asyncio.sleep(0.5)
    assert heard_chars == pieces * 1000
    assert isinstance(event, Finished)
    assert event.error_type is None
    assert _peak_kb() - before < 30_000


async def test_questions_by_the_thousand_are_all_answered(tmp_path):
    spec = spec_for(tmp_path, "many_questions", prompt="3000")
    events = await run(spec)
    assert events[-1].error_type is None
    assert len(only(ToolStarted, events)) == len(only(ToolFinished, events))


@pytest.mark.parametrize(
    ("scene", "error_type", "words"),
    [
        ("dies", "process_exit", "was ended by SIGKILL.\nout of memory"),
        ("dies_asking", "process_exit", "ended with exit code 3."),
        ("closes_its_output", "process_exit", "closed its output"),
        ("refuses_the_prompt", "api_error", "Internal error: API: 529"),
        ("another_version", "setup_failed", "version 2"),
        ("no_session", "setup_failed", "without telling its id"),
        ("wants_a_sign_in", "runner_missing", "wants a sign-in or a key: Authentication required"),
        ("echo", "api_error", "Method not found"),
    ],
)
async def test_a_program_that_breaks_off_says_why(tmp_path, monkeypatch, scene, error_type, words):
    monkeypatch.setattr(runner, "LAST_WORDS_S", 1.0)
    events = await run(spec_for(tmp_path, scene))
    assert events[-1].error_type == error_type
    assert words in events[-1].error


async def test_what_was_said_and_begun_before_a_death_is_kept(tmp_path):
    events = await run(spec_for(tmp_path, "dies"))
    assert only(Message, events)[0].text == "I am about to"
    assert [(call.status, call.error) for call in only(ToolFinished, events)] == [("error", "interrupted")]


@pytest.mark.parametrize(
    ("reason", "error_type"),
    [
        ("end_turn", None),
        ("never_heard_of", None),
        ("max_tokens", "api_error"),
        ("refusal", "api_error"),
        ("max_turn_requests", "turn_limit"),
        ("cancelled", "process_exit"),
    ],
)
async def test_every_reason_for_the_end_of_a_turn_is_understood(tmp_path, reason, error_type):
    events = await run(spec_for(tmp_path, "stops", prompt=reason))
    assert events[-1].error_type == error_type
    assert bool(events[-1].error) is bool(error_type)


async def test_a_command_that_does_not_speak_the_protocol_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "HANDSHAKE_S", 0.5)
    events = await run(spec_for(tmp_path, "silent"))
    assert events[-1].error_type == "setup_failed"
    assert "Is this the command that speaks ACP?" in events[-1].error


@pytest.mark.parametrize("command", [("no-such-agent-here",), ()])
async def test_a_missing_program_is_named(tmp_path, command):
    events = await run(make_spec(tmp_path, command=command))
    assert events[-1].error_type == "runner_missing"
    assert (command[0] if command else "has no command") in events[-1].error


async def test_the_environment_is_exactly_the_given_one_and_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "never")
    spec = spec_for(tmp_path, "hangs", env={"AGENTPANE_TASK_ID": "t1"})
    live, events = await _until_it_hangs(spec)
    seen = Path(f"/proc/{(spec.cwd / 'tool.pid').read_text().strip()}/environ").read_text()
    await live.stop()
    await events
    assert "SECRET_OF_THE_SERVER" not in seen
    assert "AGENTPANE_TASK_ID=t1" in seen
    assert "OPENCODE_PERMISSION=" in seen


async def test_stop_ends_the_tool_and_its_child(tmp_path):
    spec = spec_for(tmp_path, "hangs")
    live, events = await _until_it_hangs(spec)
    pids = [int((spec.cwd / name).read_text()) for name in ("tool.pid", "child.pid")]
    assert all(trees.is_alive(pid, None) for pid in pids)
    await live.stop()
    assert not any(trees.is_alive(pid, None) for pid in pids)
    assert trees.find_marked(spec.run_id) == []
    assert (await events)[-1].error_type == "stopped"


async def test_a_silent_program_is_stalled(tmp_path):
    events = await run(spec_for(tmp_path, "hangs", idle_timeout_s=3))
    assert events[-1].error_type == "stalled"
    assert only(ToolFinished, events)[0].error == "interrupted"


async def test_paused_after_a_call_it_rests_without_a_process_and_goes_on(tmp_path):
    spec = spec_for(tmp_path, "held")
    live, events = await _until_held(spec)
    assert not await live.pause()
    (spec.cwd / "release").touch()
    rested = (await events)[-1]
    assert isinstance(rested, Rested)
    assert (rested.turn_count, rested.native_session_id) == (1, "s-1")
    assert trees.find_marked(spec.run_id) == []
    on = await run(
        msgspec.structs.replace(
            spec, prompt="Go on.", resume=rested.native_session_id, turns_before=1, usage_before=rested.usage
        )
    )
    assert (on[-1].error_type, on[-1].turn_count, on[-1].result) == (None, 2, "Going on: Go on.")


async def test_a_pause_that_is_taken_back_is_as_if_nobody_had_asked(tmp_path):
    spec = spec_for(tmp_path, "held")
    live, events = await _until_held(spec)
    await live.pause()
    await live.resume()
    (spec.cwd / "release").touch()
    assert (await events)[-1].result == "All the way."


async def test_a_program_that_could_not_go_on_stands_still_instead(tmp_path):
    spec = spec_for(tmp_path, "held", "no-load")
    live, events = await _until_held(spec)
    assert await live.pause()
    assert all(trees.stands_still(pid) for pid in trees.find_marked(spec.run_id) if pid != only_guard(spec))
    (spec.cwd / "release").touch()
    await live.resume()
    assert (await events)[-1].result == "All the way."


def only_guard(spec: RunSpec) -> int:
    return int((spec.state_dir / "guard.pid").read_text())


async def _until_it_hangs(spec: RunSpec):
    live = await acp.start(spec)
    events = asyncio.create_task(collect(live))
    await until_exists(spec.cwd / "tool.pid")
    return live, events


async def _until_held(spec: RunSpec):
    live = await acp.start(spec)
    events = asyncio.create_task(collect(live))
    async with asyncio.timeout(60):
        while not (spec.cwd / "held").exists():
            await asyncio.sleep(0.02)
    return live, events


def _peak_kb() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_availability_names_what_is_missing(tmp_path):
    env = {"PATH": os.environ["PATH"]}
    assert acp.availability(env, (sys.executable,)).ready
    assert "not found on PATH" in acp.availability(env, ("no-such-agent-here",)).missing
