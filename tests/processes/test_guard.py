"""The guard starts a program as it is told, answers with its code, and lets nothing outlive it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from app.processes import guard, trees
from app.processes.spawning import GUARD, read_guard_pid, spawn, write_order, write_wrapper

PATH = {"PATH": os.environ["PATH"]}


async def start(tmp_path: Path, script: str, **wanted):
    return await spawn(["sh", "-c", script], env=PATH, cwd=tmp_path, state_dir=tmp_path, marker=tmp_path.name, **wanted)


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 42", 42), ("kill -TERM $$", -15), ("kill -SEGV $$", -11), ("exit 144", 144)],
)
async def test_the_code_is_the_programs(tmp_path, script, code):
    assert await (await start(tmp_path, script)).wait() == code


async def test_the_program_has_a_session_of_its_own_and_default_signals(tmp_path):
    script = "import os, signal; print(os.getsid(0) == os.getpid(), signal.getsignal(signal.SIGPIPE).name)"
    argv = [sys.executable, "-c", f"import signal\n{script}"]
    process = await spawn(argv, env=PATH, cwd=tmp_path, state_dir=tmp_path, marker=tmp_path.name)
    assert [line.text async for line in process.stdout] == ["True SIG_IGN"]  # Python's own choice at its start
    assert await process.wait() == 0


async def test_standard_input_is_empty_unless_there_is_a_text(tmp_path):
    assert [line.text async for line in (await start(tmp_path, "cat; echo end")).stdout] == ["end"]
    process = await start(tmp_path, "cat", has_input=True)
    await process.write("hello")
    assert [line.text async for line in process.stdout] == ["hello"]


async def test_readers_see_the_programs_output_close_while_it_lives(tmp_path):
    process = await start(tmp_path, "exec >&- 2>&-; sleep 60")
    assert [line async for line in process.stdout] == []
    assert trees.is_alive(process.pid, process.start_ticks)
    await process.end()
    assert await process.wait() == -signal.SIGTERM


async def test_the_order_is_readable_by_its_owner_alone(tmp_path):
    path = write_order(tmp_path, ["true"], {"ANTHROPIC_API_KEY": "secret"}, "run")
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_library_can_start_the_wrapper_and_its_environment_is_shed(tmp_path):
    folder = tmp_path / "a folder with blanks"
    folder.mkdir()
    wrapper, handed_on = write_wrapper(
        folder, ["sh", "-c", 'echo "$0 $1"; env'], {"KEY": "k"}, "run7", ("FROM_LIBRARY",)
    )
    process = await asyncio.create_subprocess_exec(
        wrapper, "first", "second",
        env={**PATH, **handed_on, "FROM_LIBRARY": "yes", "OF_THE_SERVER": "no"}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 20)
    words, *variables = out.decode().splitlines()
    assert words == "first second"
    assert {"KEY=k", "FROM_LIBRARY=yes", f"{guard.MARKER}=run7"} <= set(variables)
    assert not [each for each in variables if each.startswith(("OF_THE_SERVER", "GUARD"))]
    assert read_guard_pid(folder) == process.pid


async def test_a_guard_whose_server_is_gone_before_it_looks_ends_at_once(tmp_path):
    order = write_order(tmp_path, ["tail", "-f", "/dev/null"], PATH, tmp_path.name)
    # The shell is not the process that wrote the order, so the guard's parent is not the one it is told of.
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", '"$@"; true', "sh", sys.executable, "-I", str(GUARD), str(order), env={guard.MARKER: tmp_path.name}
    )
    await asyncio.wait_for(process.wait(), 20)
    assert trees.find_marked(tmp_path.name) == []
