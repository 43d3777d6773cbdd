"""A command as an agent: small scripts that behave well, and all the ways in which programs behave badly."""

import asyncio
import os
import shlex
import sys
from pathlib import Path

import pytest

from app.processes import trees
from app.runners import output
from app.runners.base import Finished, Message, Notice, Started, TextDelta, ToolFinished
from app.runners.registry import RUNNERS
from tests.runners.running import collect, make_spec, only, until_exists

command = RUNNERS["command"]


def sh(script: str) -> tuple[str, ...]:
    return ("sh", "-c", script)


def python(script: str) -> tuple[str, ...]:
    return (sys.executable, "-c", script)


async def run(tmp_path: Path, argv: tuple[str, ...], **wanted: object):
    spec = make_spec(tmp_path, command=argv, **wanted)
    events = await collect(await command.start(spec))
    assert trees.find_marked(spec.run_id) == []
    return events


async def test_the_prompt_comes_on_standard_input(tmp_path):
    events = await run(tmp_path, ("cat",), prompt="Write a poem.\nÄ second line.")
    assert only(Message, events)[0].text == "Write a poem.\nÄ second line."
    assert events[-1] == Finished(result="Write a poem.\nÄ second line.")


async def test_or_in_the_argument_that_asks_for_it(tmp_path):
    argv = (*python("import sys; print(sys.argv[1:], repr(sys.stdin.read()))"), "--task={prompt}", "plain")
    events = await run(tmp_path, argv, prompt="$(rm -rf x) 'quoted'")
    assert events[-1].result == """["--task=$(rm -rf x) 'quoted'", 'plain'] ''"""


async def test_the_environment_is_exactly_the_given_one(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "never")
    events = await run(tmp_path, python("import os; print(sorted(os.environ))"), env={"AGENTPANE_TASK_ID": "t1"})
    assert set(eval(events[-1].result)) - {"LC_CTYPE"} == {
        "AGENTPANE_ASK", "AGENTPANE_RUN_ID", "AGENTPANE_TASK_ID", "HOME", "PATH",
    }  # fmt: skip


async def test_the_order_with_the_keys_is_deleted_before_the_program_runs(tmp_path):
    script = 'ls -A "../state dir"; cat /proc/$PPID/cmdline; tr "\\0" " " < /proc/$PPID/environ'
    events = await run(tmp_path, sh(script), env={"ANTHROPIC_API_KEY": "sk-secret"})
    assert "guard.py" in events[-1].result
    assert "sk-secret" not in events[-1].result
    assert "guard.json\n" not in events[-1].result


async def test_text_streams_while_it_comes(tmp_path):
    argv = sh("echo one; echo two; while [ ! -e go ]; do sleep 0.02; done; echo three")
    spec = make_spec(tmp_path, command=argv)
    seen = []
    async for event in (await command.start(spec)).events():
        seen.append(event)
        if isinstance(event, TextDelta) and "two" in event.text:
            (spec.cwd / "go").touch()
    assert "".join(delta.text for delta in only(TextDelta, seen)).split() == ["one", "two", "three"]
    assert seen[-1].error_type is None


async def test_a_failing_program_says_why(tmp_path):
    events = await run(tmp_path, sh("echo working; echo 'no such branch' >&2; exit 3"))
    assert events[-1].error_type == "process_exit"
    assert events[-1].error == "The program ended with exit code 3.\nno such branch"
    assert [notice.text for notice in only(Notice, events)] == ["no such branch"]


async def test_a_program_that_is_killed_says_so(tmp_path):
    events = await run(tmp_path, sh("kill -9 $$"))
    assert (events[-1].error_type, events[-1].error) == ("process_exit", "The program was ended by SIGKILL.")


@pytest.mark.parametrize("argv", [("no-such-agent-here", "x"), ("/no/such/agent",), ("./missing.sh",), ()])
async def test_a_missing_program_is_named(tmp_path, argv):
    events = await run(tmp_path, argv)
    assert events[-1].error_type == "runner_missing"
    assert (argv[0].removeprefix("./") if argv else "has no command") in events[-1].error


async def test_a_program_that_cannot_be_started_says_why(tmp_path):
    script = make_spec(tmp_path).cwd / "agent"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    events = await run(tmp_path, ("./agent",))
    assert events[-1].error_type == "setup_failed"
    assert events[-1].error == "./agent could not be started: No such file or directory."


async def test_a_missing_worktree_is_told_not_raised(tmp_path):
    events = await run(tmp_path, ("true",), cwd=tmp_path / "gone")
    assert events[-1].error_type == "setup_failed"


async def test_a_program_that_ends_at_once_and_reads_nothing(tmp_path):
    events = await run(tmp_path, ("true",), prompt="long " * 1_000_000)
    assert events[-1] == Finished()


async def test_a_hundred_megabytes_are_never_held(tmp_path, monkeypatch):
    script = "import os\nfor _ in range(1600): os.write(1, b'x' * 63 * 1024 + b'\\n' + b'y\\n' * 512)"
    before = _peak_kb()
    events = await run(tmp_path, python(script))
    kept = sum(len(message.text) for message in only(Message, events))
    assert kept < 2 * output.MAX_PLAIN
    assert "not kept" in only(Notice, events)[-1].text
    assert _peak_kb() - before < 50_000
    assert events[-1].error_type is None


async def test_a_line_that_never_ends_is_cut_and_says_so(tmp_path):
    events = await run(tmp_path, python("print('z' * 5_000_000)"))
    assert "more bytes, cut]" in only(Message, events)[0].text


async def test_bytes_that_are_no_text_are_replaced(tmp_path):
    events = await run(tmp_path, python("import os; os.write(1, b'caf\\xe9 \\x00 \\xff\\n')"))
    assert events[-1].result == "caf\ufffd \ufffd \ufffd"


async def test_closing_the_output_is_not_the_end(tmp_path):
    events = await run(tmp_path, sh("echo before; exec >&- 2>&-; sleep 0.5; touch done; exit 4"))
    assert events[-1].error == "The program ended with exit code 4."
    assert (tmp_path / "work tree" / "done").exists()


async def test_a_program_that_never_ends_meets_the_wall_clock(tmp_path):
    events = await run(tmp_path, sh("while :; do echo tick; sleep 0.1; done"), timeout_s=1.0)
    assert events[-1].error_type == "timeout"
    assert events[-1].result


async def test_a_silent_program_is_stalled(tmp_path):
    events = await run(tmp_path, sh("echo hello; exec >&- 2>&-; exec sleep 60"), idle_timeout_s=1.5)
    assert events[-1].error_type == "stalled"


LEAVES_CHILDREN = """
setsid tail -f /dev/null & echo $! > far.pid
tail -f /dev/null & echo $! > near.pid
env -i setsid sh -c 'trap "" TERM; echo $$ > bare.pid; while :; do sleep 1; done' &
while [ ! -s bare.pid ]; do sleep 0.02; done
"""


async def test_children_left_behind_end_with_the_program(tmp_path):
    events = await run(tmp_path, sh(LEAVES_CHILDREN + "echo done"))
    assert events[-1].error_type is None
    assert _living_children(tmp_path) == []


async def test_stop_ends_the_whole_tree(tmp_path):
    spec = make_spec(tmp_path, command=sh("trap '' TERM\n" + LEAVES_CHILDREN + "while :; do sleep 1; done"))
    live = await command.start(spec)
    events = asyncio.create_task(collect(live))
    await until_exists(spec.cwd / "bare.pid")
    assert len(_living_children(tmp_path)) == 3
    await live.stop()
    assert _living_children(tmp_path) == []
    assert trees.find_marked(spec.run_id) == []
    assert (await events)[-1].error_type == "stopped"
    await live.stop()


COUNTS = """
import subprocess, time
subprocess.Popen(["sh", "-c", "echo $$ > child.pid; exec setsid tail -f /dev/null"])
for count in range(10_000):
    open("count.pid", "w").write(str(count))
    time.sleep(0.01)
"""


async def test_a_paused_command_stands_still_and_goes_on(tmp_path):
    spec = make_spec(tmp_path, command=python(COUNTS), idle_timeout_s=1, timeout_s=1)
    live = await command.start(spec)
    events = asyncio.create_task(collect(live))
    count = await until_exists(spec.cwd / "count.pid")
    await until_exists(spec.cwd / "child.pid")
    assert await live.pause()
    assert await live.pause()
    before = count.read_text()
    await asyncio.sleep(1.5)  # Longer than it may be silent, or take.
    assert count.read_text() == before
    await live.resume()
    async with asyncio.timeout(5):
        while count.read_text() in ("", before):
            await asyncio.sleep(0.01)
    assert (await events)[-1].error_type == "timeout"
    assert trees.find_marked(spec.run_id) == []


async def test_a_paused_command_is_stopped_without_waiting_for_the_kill(tmp_path):
    spec = make_spec(tmp_path, command=sh("echo $$ > far.pid; exec tail -f /dev/null"))
    live = await command.start(spec)
    events = asyncio.create_task(collect(live))
    await until_exists(spec.cwd / "far.pid")
    await live.pause()
    async with asyncio.timeout(2):
        await live.stop()
    assert (await events)[-1].error_type == "stopped"
    assert trees.find_marked(spec.run_id) == []
    assert not await live.pause()


async def test_stopping_before_the_program_is_up(tmp_path):
    spec = make_spec(tmp_path, command=("tail", "-f", "/dev/null"))
    live = await command.start(spec)
    await live.stop("interrupted")
    assert trees.find_marked(spec.run_id) == []
    assert (await collect(live))[-1].error_type == "interrupted"


async def test_when_the_guard_itself_is_killed_nothing_is_left(tmp_path):
    script = "setsid tail -f /dev/null & echo $! > far.pid; exec tail -f /dev/null"
    spec = make_spec(tmp_path, command=sh(script))
    live = await command.start(spec)
    events = asyncio.create_task(collect(live))
    await until_exists(spec.cwd / "far.pid")
    guard = next(pid for pid in trees.find_marked(spec.run_id) if "guard.py" in _cmdline(pid))
    os.kill(guard, 9)
    assert (await events)[-1].error_type == "process_exit"
    assert trees.find_marked(spec.run_id) == []
    assert _living_children(tmp_path) == []


async def test_json_lines_of_a_known_program_become_tools_and_tokens(tmp_path):
    lines = [
        'Reading prompt from stdin...',
        '{"type":"thread.started","thread_id":"th-1"}',
        '{"type":"item.started","item":{"id":"i1","type":"command_execution","command":"ls","status":"in_progress"}}',
        '{"type":"item.completed","item":{"id":"i1","type":"command_execution","command":"ls",'
        '"aggregated_output":"a\\n","exit_code":0,"status":"completed"}}',
        '{"broken',
        '{"type":"item.completed","item":{"id":"i2","type":"agent_message","text":"All done."}}',
        '{"type":"turn.completed","usage":{"input_tokens":3000,"cached_input_tokens":100,"output_tokens":126}}',
    ]  # fmt: skip
    events = await run(tmp_path, sh("\n".join(f"printf '%s\\n' {shlex.quote(line)}" for line in lines)))
    assert only(Started, events)[-1].native_session_id == "th-1"
    assert only(Started, events)[0].pid == only(Started, events)[-1].pid
    assert only(ToolFinished, events)[0].status == "complete"
    assert '{"broken' in [notice.text for notice in only(Notice, events)]
    done = events[-1]
    assert (done.result, done.turn_count, done.native_session_id) == ("All done.", 2, "th-1")
    assert (done.usage.input_tokens, done.usage.output_tokens) == (3000, 126)


def _living_children(tmp_path: Path) -> list[int]:
    pids = [int(path.read_text()) for path in (tmp_path / "work tree").glob("*.pid")]
    assert pids
    return [pid for pid in pids if trees.is_alive(pid, None)]


def _cmdline(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def _peak_kb() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
