"""The real Claude Code program, driven by a scripted model on loopback, with a home of its own and a dummy key."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from app.processes import trees
from app.runners.base import (
    GO_ON,
    Answer,
    Message,
    Notice,
    Question,
    Rested,
    Retry,
    RunSpec,
    Started,
    TextDelta,
    ToolFinished,
    ToolRunning,
    ToolStarted,
    Usage,
)
from app.runners.permissions import Rules
from app.runners.registry import RUNNERS
from tests.runners.running import Person, collect, make_spec, only, until_exists
from tests.scripted_model import ScriptedModel
from tests.scripted_model.fixture import *  # noqa: F403

pytest.importorskip("claude_agent_sdk")
claude = RUNNERS["claude"]
DEFAULT_TOOLS = ("Read", "Edit", "Bash", "Glob", "Grep")


def spec_for(tmp_path: Path, model: ScriptedModel, scenario: str, **wanted: object) -> RunSpec:
    env = {**model.env, "CLAUDE_CODE_MAX_RETRIES": "1", **wanted.pop("env", {})}
    settings = {"prompt": f"SCENARIO:{scenario}", "allowed_tools": DEFAULT_TOOLS, **wanted}
    spec = make_spec(tmp_path, env=env, **settings)
    subprocess.run(["git", "init", "-q", spec.cwd], check=True)
    return spec


async def run(spec: RunSpec):
    events = await collect(await claude.start(spec))
    assert trees.find_marked(spec.run_id) == []
    return events


async def test_it_writes_a_file_and_runs_a_command(tmp_path, scripted_model):
    spec = spec_for(tmp_path, scripted_model, "journey", prompt="/api answers 500. SCENARIO:journey")
    events = await run(spec)
    assert (spec.cwd / "hello.txt").read_text() == "hello from the scripted model\n"
    started = events[0]
    assert isinstance(started, Started)
    assert started.native_session_id
    assert started.pid
    assert started.start_ticks
    assert [(call.tool, call.turn) for call in only(ToolStarted, events)] == [("Write", 1), ("Bash", 2)]
    assert [(call.status, call.duration_ms is not None) for call in only(ToolFinished, events)] == [
        ("complete", True),
        ("complete", True),
    ]
    assert only(ToolFinished, events)[1].output["stdout"] == "?? hello.txt"
    done = events[-1]
    assert (done.error_type, done.result) == (None, "All done: wrote hello.txt.")
    assert (done.turn_count, done.usage.input_tokens, done.usage.output_tokens) == (3, 3 * 1060, 3 * 42)
    assert done.native_session_id == started.native_session_id
    assert "/api answers 500." in scripted_model.asked[0].prompt


async def test_a_conversation_that_has_grown_too_long_goes_on_in_a_new_one(tmp_path, scripted_model):
    # By itself the program makes room; what it cannot make is told here.
    stubborn = {"DISABLE_COMPACT": "1"}
    first = await run(spec_for(tmp_path, scripted_model, "outgrown", env=stubborn))
    known = first[-1].native_session_id

    async def retell(prompt: str) -> str:
        return f"You wrote hello.txt. SCENARIO:rework {prompt}"

    wanted = {"prompt": "Say it to Jo.", "resume": known, "retell": retell, "env": stubborn}
    second = await run(spec_for(tmp_path, scripted_model, "", **wanted))
    assert "grown too long" in only(Notice, second)[0].text
    assert (second[-1].error_type, second[-1].result) == (None, "Done again: wrote second.txt.")
    assert second[-1].native_session_id not in (None, known)
    assert "You wrote hello.txt. SCENARIO:rework Say it to Jo." in (tmp_path / "work tree" / "second.txt").read_text()


async def test_one_that_does_not_fit_even_when_told_anew_fails(tmp_path, scripted_model):
    first = await run(spec_for(tmp_path, scripted_model, "outgrown", env={"DISABLE_COMPACT": "1"}))
    wanted = {"prompt": "SCENARIO:toolong", "resume": first[-1].native_session_id}
    second = await run(spec_for(tmp_path, scripted_model, "", **wanted))
    assert second[-1].error_type == "api_error"
    assert "prompt is too long" in second[-1].error.lower()


async def test_text_streams_and_the_whole_message_replaces_it(tmp_path, scripted_model):
    events = await run(spec_for(tmp_path, scripted_model, "journey"))
    for message in only(Message, events):
        deltas = [delta.text for delta in only(TextDelta, events) if delta.message_id == message.message_id]
        assert "".join(deltas) == message.text
    assert len({message.message_id for message in only(Message, events)}) == 3


async def test_nothing_of_the_server_reaches_the_agent(tmp_path, scripted_model, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "never")
    spec = spec_for(tmp_path, scripted_model, "env", env={"AGENTPANE_TASK_ID": "t1"})
    await run(spec)
    seen = (spec.cwd / "env.txt").read_text()
    assert "SECRET_OF_THE_SERVER" not in seen
    assert "GUARD" not in seen
    assert "AGENTPANE_TASK_ID=t1" in seen


async def test_a_rejection_continues_the_same_conversation(tmp_path, scripted_model):
    spec = spec_for(tmp_path, scripted_model, "journey")
    first = await run(spec)
    reason = "Rejected: say goodbye too, please."
    again = msgspec.structs.replace(spec, run_id="second", prompt=reason, resume=first[-1].native_session_id)
    second = await run(again)
    assert reason in (spec.cwd / "second.txt").read_text()
    assert second[-1].native_session_id == first[-1].native_session_id
    assert not only(Notice, second)


async def test_a_forgotten_conversation_starts_afresh_and_says_so(tmp_path, scripted_model):
    spec = spec_for(tmp_path, scripted_model, "plain", resume="3b6a8e9e-9d1e-4e8c-a0b3-0123456789ab")
    events = await run(spec)
    assert "starts afresh" in only(Notice, events)[0].text
    assert events[-1].error_type is None
    assert len(only(Started, events)) == 1
    assert events[-1].native_session_id not in {None, spec.resume}


async def test_messages_go_on_in_the_live_conversation(tmp_path, scripted_model):
    queued = ["Now the second part.", None]

    async def next_message() -> str | None:
        return queued.pop(0)

    spec = spec_for(tmp_path, scripted_model, "journey", next_message=next_message)
    events = await run(spec)
    assert "Now the second part." in (spec.cwd / "second.txt").read_text()
    assert events[-1].turn_count == 5
    assert events[-1].usage.output_tokens == 5 * 42
    assert only(Usage, events)[-1] == events[-1].usage
    assert len(only(Started, events)) == 1
    # What a person said stands between the answers.
    said = [(message.role, message.text) for message in only(Message, events)]
    assert said[2:4] == [("assistant", "All done: wrote hello.txt."), ("user", "Now the second part.")]


async def test_a_run_that_waits_for_a_message_can_be_stopped(tmp_path, scripted_model):
    asked = asyncio.Event()

    async def next_message() -> str | None:
        asked.set()
        await asyncio.Event().wait()

    spec = spec_for(tmp_path, scripted_model, "plain", next_message=next_message, idle_timeout_s=30)
    live = await claude.start(spec)
    events = asyncio.create_task(collect(live))
    await asyncio.wait_for(asked.wait(), 60)
    await live.stop()
    assert trees.find_marked(spec.run_id) == []
    assert (await events)[-1].error_type == "stopped"


async def test_paused_after_a_call_it_rests_without_a_process_and_goes_on(tmp_path, scripted_model):
    spec = spec_for(tmp_path, scripted_model, "held")
    live = await claude.start(spec)
    events = asyncio.create_task(collect(live))
    await until_there(spec.cwd / "held")
    assert not await live.pause()
    assert not await live.pause()
    (spec.cwd / "release").touch()
    seen = await events
    rested = seen[-1]
    assert isinstance(rested, Rested)
    assert trees.find_marked(spec.run_id) == []
    # The call went to its end, and the model was not asked again.
    assert [call.status for call in only(ToolFinished, seen)] == ["complete", "complete"]
    assert len(scripted_model.asked) == 2
    assert (rested.turn_count, rested.usage.output_tokens) == (2, 2 * 42)

    on = await run(_goes_on(spec, rested))
    done = on[-1]
    assert (done.error_type, done.result) == (None, "All done: wrote hello.txt.")
    assert len(scripted_model.asked) == 3
    assert (done.turn_count, done.usage.input_tokens, done.usage.output_tokens) == (3, 3 * 1060, 3 * 42)
    assert done.usage.cost_usd == pytest.approx(rested.usage.cost_usd * 3 / 2)
    assert done.native_session_id == rested.native_session_id
    assert not only(Notice, on)


async def test_paused_while_it_writes_its_answer_it_rests_with_the_whole_answer(tmp_path, scripted_model):
    live = await claude.start(spec_for(tmp_path, scripted_model, "plain"))
    await live.pause()
    seen = await collect(live)
    assert isinstance(seen[-1], Rested)
    assert only(Message, seen)[-1].text == "Just text."


async def test_a_pause_waits_for_every_call_of_the_turn(tmp_path, scripted_model):
    live = await claude.start(spec_for(tmp_path, scripted_model, "parallel"))
    await live.pause()
    seen = await collect(live)
    assert isinstance(seen[-1], Rested)
    assert sorted(call.status for call in only(ToolFinished, seen)) == ["complete", "complete", "error"]
    assert seen[-1].turn_count == 1


async def test_a_call_that_is_refused_ends_its_turn_too(tmp_path, scripted_model):
    live = await claude.start(spec_for(tmp_path, scripted_model, "fail", allowed_tools=("Bash(git status:*)",)))
    await live.pause()
    seen = await collect(live)
    assert isinstance(seen[-1], Rested)
    assert len(scripted_model.asked) == 1


async def test_a_pause_that_is_taken_back_is_as_if_nobody_had_asked(tmp_path, scripted_model):
    spec = spec_for(tmp_path, scripted_model, "held")
    live = await claude.start(spec)
    events = asyncio.create_task(collect(live))
    await until_there(spec.cwd / "held")
    await live.pause()
    await live.resume()
    (spec.cwd / "release").touch()
    seen = await events
    assert (seen[-1].error_type, seen[-1].turn_count) == (None, 3)


async def test_a_turn_that_was_halted_for_a_pause_taken_back_goes_on_in_the_same_program(tmp_path, scripted_model):
    live = await claude.start(spec_for(tmp_path, scripted_model, "journey"))
    await live.pause()
    seen = []
    async with asyncio.timeout(60):
        async for event in live.events():
            seen.append(event)
            if isinstance(event, ToolFinished) and live._run._pausing:
                while not live._run._halted:  # The hook is about to answer; the result has not come yet.
                    await asyncio.sleep(0)
                await live.resume()
    assert (seen[-1].error_type, seen[-1].turn_count) == (None, 3)
    assert len(only(Started, seen)) == 1


async def test_turns_before_the_pause_count_for_the_limit(tmp_path, scripted_model):
    spec = spec_for(tmp_path, scripted_model, "loop", max_turns=4)
    live = await claude.start(spec)
    await live.pause()
    rested = (await collect(live))[-1]
    events = await run(_goes_on(spec, rested))
    assert (events[-1].error_type, events[-1].turn_count) == ("turn_limit", 4)


async def test_a_program_that_counts_its_cost_anew_is_added_up(tmp_path, scripted_model):
    spec = spec_for(tmp_path, scripted_model, "journey")
    live = await claude.start(spec)
    await live.pause()
    rested = (await collect(live))[-1]
    (Path(spec.env["HOME"]) / ".claude.json").unlink()  # Where the program keeps what its last conversation cost.
    done = (await run(_goes_on(spec, rested)))[-1]
    assert done.usage.cost_usd == pytest.approx(rested.usage.cost_usd * 3)


async def until_there(path: Path) -> None:
    async with asyncio.timeout(60):
        while not path.exists():
            await asyncio.sleep(0.02)


def _goes_on(spec: RunSpec, rested: Rested) -> RunSpec:
    return msgspec.structs.replace(
        spec, prompt=GO_ON, resume=rested.native_session_id, turns_before=rested.turn_count, usage_before=rested.usage
    )


async def test_parallel_calls_each_have_their_own_end(tmp_path, scripted_model):
    events = await run(spec_for(tmp_path, scripted_model, "parallel"))
    assert sorted(call.status for call in only(ToolFinished, events)) == ["complete", "complete", "error"]
    assert events[-1].turn_count == 2


async def test_a_failing_command_is_an_error_of_the_call_not_of_the_run(tmp_path, scripted_model):
    events = await run(spec_for(tmp_path, scripted_model, "fail"))
    assert "7" in only(ToolFinished, events)[0].error
    assert events[-1].error_type is None


@pytest.mark.parametrize(
    ("scenario", "allowed", "tool"),
    [
        ("forbidden", DEFAULT_TOOLS, "WebFetch"),
        ("fail", ("Read", "Edit"), "Bash"),
        ("fail", ("Bash(git status:*)",), "Bash"),
        ("outside", DEFAULT_TOOLS, "Write"),
    ],
)
async def test_what_is_not_allowed_is_refused_before_it_runs(tmp_path, scripted_model, scenario, allowed, tool):
    events = await run(spec_for(tmp_path, scripted_model, scenario, allowed_tools=allowed))
    assert [call.tool for call in only(ToolStarted, events)] == [tool]
    assert not only(ToolRunning, events)
    refused = only(ToolFinished, events)
    assert [call.status for call in refused] == ["denied"]
    assert refused[0].error
    assert events[-1].error_type is None
    assert not Path("/tmp/agentpane-outside.txt").exists()


async def test_the_turn_limit_ends_the_run(tmp_path, scripted_model):
    events = await run(spec_for(tmp_path, scripted_model, "loop", max_turns=3))
    assert (events[-1].error_type, events[-1].turn_count) == ("turn_limit", 3)
    assert "3 turns" in events[-1].error


@pytest.mark.parametrize("status", [401, 529])
async def test_a_service_that_refuses_is_an_api_error(tmp_path, scripted_model, status):
    events = await run(spec_for(tmp_path, scripted_model, f"http{status}"))
    assert events[-1].error_type == "api_error"
    assert str(status) in events[-1].error
    assert not only(Message, events)
    assert only(Retry, events)[0].status == status


async def test_a_service_that_is_away_is_an_api_error(tmp_path, scripted_model):
    spec = spec_for(tmp_path, scripted_model, "plain", env={"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"})
    events = await run(spec)
    assert events[-1].error_type == "api_error"
    assert events[-1].error


async def test_a_model_that_hangs_is_stalled(tmp_path, scripted_model):
    events = await run(spec_for(tmp_path, scripted_model, "hang", idle_timeout_s=8))
    assert events[-1].error_type == "stalled"
    assert only(TextDelta, events)


async def test_stop_ends_the_tool_and_its_child(tmp_path, scripted_model):
    spec, live, events = await _running_for_ever(tmp_path, scripted_model)
    await live.stop()
    _nothing_is_left(spec)
    seen = await events
    assert seen[-1].error_type == "stopped"
    assert seen[-1].native_session_id
    assert only(ToolFinished, seen)[0].error


@pytest.mark.parametrize("is_starting", [False, True])
async def test_stop_before_the_program_is_up(tmp_path, scripted_model, is_starting):
    spec = spec_for(tmp_path, scripted_model, "forever")
    live = await claude.start(spec)
    async with asyncio.timeout(30):
        while is_starting and not trees.find_marked(spec.run_id):
            await asyncio.sleep(0.01)
    await live.stop("interrupted")
    assert trees.find_marked(spec.run_id) == []
    assert (await collect(live))[-1].error_type == "interrupted"
    assert not (spec.cwd / "tool.pid").exists()


async def test_a_killed_agent_leaves_nothing_and_can_be_resumed(tmp_path, scripted_model):
    spec, _live, events = await _running_for_ever(tmp_path, scripted_model)
    os.kill(_program(spec), signal.SIGKILL)
    seen = await events
    assert seen[-1].error_type == "process_exit"
    assert seen[-1].error.startswith("Claude Code was ended by SIGKILL.")
    assert only(ToolFinished, seen)[0].error == "interrupted"
    _nothing_is_left(spec)
    again = msgspec.structs.replace(
        spec, run_id="again", prompt="Go on. SCENARIO:plain", resume=seen[-1].native_session_id
    )
    resumed = await run(again)
    assert (resumed[-1].error_type, resumed[-1].result) == (None, "Just text.")
    assert not only(Notice, resumed)


SERVER = """
import asyncio, json, sys
from pathlib import Path
from app.runners.base import RunSpec
from app.runners.permissions import Rules
from app.runners.registry import RUNNERS

async def serve():
    given = json.loads(sys.argv[1])
    paths = {name: Path(given.pop(name)) for name in ("cwd", "state_dir")}
    live = await RUNNERS["claude"].start(RunSpec(**given, **paths))
    async for event in live.events():
        print(event, flush=True)

asyncio.run(serve())
"""


async def test_a_killed_server_leaves_nothing_without_any_restart(tmp_path, scripted_model):
    spec = spec_for(tmp_path, scripted_model, "forever")
    given = {name: getattr(spec, name) for name in ("run_id", "prompt", "env", "allowed_tools")}
    given |= {"cwd": str(spec.cwd), "state_dir": str(spec.state_dir)}
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, json.dumps(given), stdout=subprocess.DEVNULL
    )
    await until_exists(spec.cwd / "tool.pid")
    processes = {pid: trees.start_ticks(pid) for pid in trees.find_marked(spec.run_id)}
    assert len(processes) >= 4
    server.kill()
    await server.wait()
    for pid, ticks in processes.items():
        assert await trees.wait_gone(pid, ticks, 10)
    _nothing_is_left(spec)


@pytest.mark.parametrize(
    ("env", "missing"),
    [({}, "no key"), ({"ANTHROPIC_API_KEY": "x"}, ""), ({"CLAUDE_CODE_OAUTH_TOKEN": "x"}, "")],
)
def test_availability_names_what_is_missing(tmp_path, env, missing):
    found = claude.availability({"PATH": os.environ["PATH"], "HOME": str(tmp_path), **env})
    assert found.ready is not bool(missing)
    assert missing in found.missing
    assert found.version


def test_a_sign_in_is_enough(tmp_path):
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / ".credentials.json").touch()
    assert claude.availability({"HOME": str(tmp_path)}).ready


async def test_a_missing_key_ends_the_run_at_once(tmp_path, scripted_model):
    events = await run(spec_for(tmp_path, scripted_model, "plain", env={"ANTHROPIC_API_KEY": ""}))
    assert [type(event).__name__ for event in events] == ["Finished"]
    assert events[-1].error_type == "runner_missing"


async def _running_for_ever(tmp_path: Path, model: ScriptedModel):
    spec = spec_for(tmp_path, model, "forever")
    live = await claude.start(spec)
    events = asyncio.create_task(collect(live))
    await until_exists(spec.cwd / "tool.pid")
    assert all(trees.is_alive(pid, None) for pid in _tool_pids(spec))
    return spec, live, events


def _nothing_is_left(spec: RunSpec) -> None:
    assert trees.find_marked(spec.run_id) == []
    assert not any(trees.is_alive(pid, None) for pid in _tool_pids(spec))


def _tool_pids(spec: RunSpec) -> list[int]:
    return [int((spec.cwd / name).read_text()) for name in ("tool.pid", "child.pid")]


def _program(spec: RunSpec) -> int:
    return next(pid for pid in trees.find_marked(spec.run_id) if "_bundled/claude" in _cmdline(pid).split("\0")[0])


def _cmdline(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


async def test_the_same_program_as_a_command_is_understood_by_its_lines(tmp_path, scripted_model):
    program = claude.availability(scripted_model.env).program
    argv = (
        program,
        "-p",
        "--output-format",
        "stream-json",
        "--verbose",
        "--permission-mode",
        "acceptEdits",
        "{prompt}",
    )
    spec = spec_for(tmp_path, scripted_model, "journey", command=argv)
    events = await collect(await RUNNERS["command"].start(spec))
    assert [call.tool for call in only(ToolStarted, events)] == ["Write", "Bash"]
    assert [call.status for call in only(ToolFinished, events)] == ["complete", "complete"]
    done = events[-1]
    assert (done.error_type, done.result, done.turn_count) == (None, "All done: wrote hello.txt.", 3)
    assert (done.usage.input_tokens, done.usage.output_tokens) == (3 * 1060, 3 * 42)
    assert done.native_session_id == only(Started, events)[-1].native_session_id
    assert not only(Notice, events)


async def test_a_call_that_must_be_asked_for_waits_longer_than_the_run_may_be_silent_and_then_runs(
    tmp_path, scripted_model
):
    person = Person(Answer(allowed=True), after_s=4)
    spec = spec_for(
        tmp_path, scripted_model, "journey", rules=Rules(ask=("Write",)), ask=person, idle_timeout_s=3, timeout_s=30
    )
    events = await run(spec)
    assert [(question.tool, question.rule) for question in person.asked] == [("Write", "Write")]
    assert person.asked[0].call_id == only(ToolStarted, events)[0].call_id
    assert (spec.cwd / "hello.txt").exists()
    assert events[-1].error_type is None


async def test_a_refused_call_does_not_run_and_the_model_is_told_why(tmp_path, scripted_model):
    person = Person(Answer(allowed=False, note="Not here.", by="Ada"))
    spec = spec_for(tmp_path, scripted_model, "journey", rules=Rules(ask=("Edit",)), ask=person)
    events = await run(spec)
    assert not (spec.cwd / "hello.txt").exists()
    refused = only(ToolFinished, events)[0]
    assert (refused.status, refused.error) == ("denied", "Ada refused this call: Not here.")
    assert "Ada refused this call: Not here." in scripted_model.asked[1].told
    assert events[-1].error_type is None


async def test_a_call_that_nobody_can_be_asked_for_is_refused(tmp_path, scripted_model):
    events = await run(spec_for(tmp_path, scripted_model, "journey", rules=Rules(ask=("Write",))))
    assert (
        only(ToolFinished, events)[0].error == "The rule Write asks a person for this call. Nobody can be asked here."
    )


@pytest.mark.parametrize("end", ["stop", "pause", "kill"])
async def test_a_question_is_taken_back_when_the_run_ends_or_rests(tmp_path, scripted_model, end):
    asked, taken_back = asyncio.Event(), asyncio.Event()

    async def nobody(_question: Question) -> Answer:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            taken_back.set()

    spec = spec_for(tmp_path, scripted_model, "journey", rules=Rules(ask=("Write",)), ask=nobody)
    live = await claude.start(spec)
    collecting = asyncio.create_task(collect(live))
    await asyncio.wait_for(asked.wait(), 30)
    if end == "stop":
        await live.stop()
    elif end == "pause":
        await live.pause()
    else:
        os.kill(_program(spec), signal.SIGKILL)
    await asyncio.wait_for(taken_back.wait(), 10)
    events = await collecting
    assert isinstance(events[-1], Rested) is (end == "pause")
