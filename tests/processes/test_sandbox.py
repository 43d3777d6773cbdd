"""Behind walls a program has what is named and nothing else, and its guard ends all of it as it ends any other."""

import asyncio
import json
import os
import signal
import sys
import textwrap
from pathlib import Path

import msgspec
import psutil
import pytest

from app.processes import sandbox, trees
from app.processes.sandbox import Limits, Mount, Sandbox, available, readable, wrap, writable
from app.processes.spawning import GuardedProcess, spawn
from app.processes.system_files import programs, system

pytestmark = pytest.mark.skipif(bool(available().why_not), reason=f"no sandbox here: {available().why_not}")
PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def confined(*mounts: Mount, **wanted: object) -> Sandbox:
    found = (*system(), *programs((sys.executable,), PATH), *mounts)
    return Sandbox(program=available().program, mounts=found, **wanted)


async def start(tmp_path: Path, script: str, box: Sandbox | None = None, **wanted: object) -> GuardedProcess:
    folder = tmp_path / "work"
    folder.mkdir(exist_ok=True)
    state = tmp_path / "state"
    state.mkdir(exist_ok=True)
    box = box or confined(*writable(folder), home=Path("/home/somebody"))
    command = [sys.executable, "-c", textwrap.dedent(script)] if wanted.pop("python", False) else ["sh", "-c", script]
    return await spawn(command, env=PATH, cwd=folder, state_dir=state, marker=tmp_path.name, sandbox=box, **wanted)


async def said(process: GuardedProcess) -> list[str]:
    lines = [line.text async for line in process.stdout]
    errors = [line.text async for line in process.stderr]
    await process.wait()
    return lines + errors


async def running(tmp_path: Path, name: str) -> psutil.Process:
    """The process of the run whose command line holds `name`, by its number outside of the walls."""
    async with asyncio.timeout(20):
        while True:
            for pid in trees.find_marked(tmp_path.name):
                try:
                    found = psutil.Process(pid)
                    if name in found.cmdline()[:3] and not found.children():
                        return found
                except psutil.Error:
                    continue
            await asyncio.sleep(0.02)


async def test_of_the_machine_there_is_what_was_named(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    lines = await said(await start(tmp_path, f"cat {secret}; ls {tmp_path} / /tmp; touch here && ls $PWD"))
    assert f"cat: {secret}: No such file or directory" in lines
    assert "here" in lines
    assert (tmp_path / "work" / "here").exists()
    assert not {"srv", "boot", "mnt", "media", "secret"} & set(lines)


async def test_what_is_readable_cannot_be_changed_and_what_is_hidden_is_empty(tmp_path):
    shown = tmp_path / "shown"
    (shown / "data").mkdir(parents=True)
    (shown / "file").write_text("as it is")
    (shown / "data" / "password").write_text("s3cret")
    box = confined(*writable(tmp_path / "work"), *readable(shown), Mount(shown / "data", None))
    script = f"cat {shown}/file; echo x > {shown}/file; rm {shown}/file; ls -A {shown}/data; cat {shown}/data/password"
    lines = await said(await start(tmp_path, script, box))
    assert lines[0].startswith("as it is")
    assert [line.rpartition(": ")[2] for line in lines[1:]] == [
        "Read-only file system", "Read-only file system", "No such file or directory",
    ]  # fmt: skip
    assert (shown / "data" / "password").read_text() == "s3cret"


async def test_it_has_no_capability_and_no_process_of_ours(tmp_path):
    script = f"grep -E 'Cap(Prm|Eff|Bnd)|NoNewPrivs' /proc/self/status; ls -d /proc/[0-9]*; kill -0 {os.getpid()}"
    lines = await said(await start(tmp_path, script))
    assert {line.split()[1] for line in lines if line.startswith("Cap")} == {"0000000000000000"}
    assert "NoNewPrivs:\t1" in lines
    assert len([line for line in lines if line.startswith("/proc/")]) <= 4
    assert any("No such process" in line for line in lines)


async def test_the_environment_is_the_given_one_and_shows_in_no_list_of_processes(tmp_path):
    process = await spawn(
        ["sh", "-c", "echo $KEY; exec tail -f /dev/null"], env={**PATH, "KEY": "s3cret"}, cwd=Path("/"),
        state_dir=tmp_path, marker=tmp_path.name, sandbox=confined(variables={"MORE": "1"}),
    )  # fmt: skip
    assert [line.text for line in await process.stdout.batch()] == ["s3cret"]
    for pid in trees.find_marked(tmp_path.name):
        assert "s3cret" not in " ".join(psutil.Process(pid).cmdline())
    await process.end()


async def test_a_sandbox_that_is_asked_to_end_lets_its_program_say_goodbye(tmp_path):
    script = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done"
    process = await start(tmp_path, script)
    assert [line.text for line in await process.stdout.batch()] == ["up"]
    await process.end()
    assert [line.text async for line in process.stdout] == ["bye"]
    assert await process.wait() == 7


async def test_what_leaves_its_session_and_its_parent_ends_with_it(tmp_path):
    process = await start(tmp_path, "setsid setsid tail -f /dev/null & echo up; exec tail -f /dev/null")
    assert [line.text for line in await process.stdout.batch()] == ["up"]
    left = await running(tmp_path, "tail")
    await process.end()
    assert not trees.is_alive(left.pid, None)
    assert trees.find_marked(tmp_path.name) == []


async def test_a_guard_that_is_killed_takes_everything_with_it(tmp_path):
    process = await start(tmp_path, "setsid tail -f /dev/null & exec tail -f /dev/null")
    inside = await running(tmp_path, "tail")
    os.kill(process.pid, signal.SIGKILL)
    assert await trees.wait_gone(inside.pid, None, 2)
    assert await trees.wait_gone(process.pid, process.start_ticks, 2)
    async with asyncio.timeout(2):
        while trees.find_marked(tmp_path.name):
            await asyncio.sleep(0.02)


async def test_it_stands_still_goes_on_and_ends_from_standing_still(tmp_path):
    process = await start(tmp_path, "trap 'exit 9' TERM; while :; do date +%s%N; sleep 0.02; done")
    first = await process.stdout.batch()
    assert first
    assert await process.freeze()
    while process.stdout._stream._buffer:  # What was said before it stood still.
        await process.stdout.batch()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await process.stdout.batch()
    await process.thaw()
    assert await process.stdout.batch()
    assert await process.freeze()
    await process.end()
    assert await process.wait() == 9


class TestLimits:
    async def test_memory_of_all_processes_together(self, tmp_path):
        script = """
            import os, time
            for _ in range(4):
                if not os.fork():
                    held = bytearray(60 << 20)
                    time.sleep(99)
            time.sleep(99)
        """
        box = confined(*writable(tmp_path / "work"), limits=Limits(memory_mb=150))
        process = await start(tmp_path, script, box, python=True)
        assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGKILL
        assert "150 MiB are its limit" in (process.excess or "")
        assert trees.find_marked(tmp_path.name) == []

    async def test_memory_of_one(self, tmp_path):
        script = "try: bytearray(400 << 20)\nexcept MemoryError: print('refused')"
        box = confined(*writable(tmp_path / "work"), limits=Limits(memory_mb=200))
        assert await said(await start(tmp_path, script, box, python=True)) == ["refused"]

    async def test_a_fork_bomb(self, tmp_path):
        # It doubles every twentieth of a second: a quicker one takes the machine's last process from other tests.
        script = "import os, time\nprint('up', flush=True)\nwhile True:\n    os.fork()\n    time.sleep(0.05)"
        box = confined(*writable(tmp_path / "work"), limits=Limits(processes=100))
        process = await start(tmp_path, script, box, python=True)
        assert [line.text for line in await process.stdout.batch()][:1] == ["up"]
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
        assert "100 are its limit" in (process.excess or "")
        assert trees.find_marked(tmp_path.name) == []

    async def test_the_size_of_a_file_and_a_core_dump(self, tmp_path):
        box = confined(*writable(tmp_path / "work"), limits=Limits(file_mb=2))
        process = await start(tmp_path, "ulimit -c; exec head -c 9000000 /dev/zero > large", box)
        assert [line.text async for line in process.stdout] == ["0"]
        assert await process.wait() == 128 + signal.SIGXFSZ
        assert (tmp_path / "work" / "large").stat().st_size == 2 << 20

    async def test_they_hold_without_walls_too(self, tmp_path):
        box = Sandbox(program="", limits=Limits(processes=3))
        process = await start(tmp_path, "for n in 1 2 3 4 5 6; do sleep 30 & done; wait", box)
        assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGKILL
        assert "3 are its limit" in (process.excess or "")
        assert trees.find_marked(tmp_path.name) == []


def test_without_walls_nothing_is_wrapped():
    assert wrap(["a", "b"], Sandbox(program="")) == ["a", "b"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "bubblewrap is not installed"),
        ("echo 'bwrap: No permissions to create new namespace' >&2; exit 1", "No permissions to create new namespace"),
        ("exit 3", "exit code 3"),
    ],
)
def test_a_machine_without_one_says_why(tmp_path, monkeypatch, script, said):
    if script is not None:
        (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox.available.cache_clear()
    try:
        assert said in sandbox.available().why_not
    finally:
        monkeypatch.undo()
        sandbox.available.cache_clear()


class TestPrograms:
    def test_links_on_path_are_followed_to_their_packages(self, tmp_path):
        home = tmp_path / "home"
        package = home / ".tools" / "lib" / "node_modules" / "agent"
        package.mkdir(parents=True)
        (package / "cli.js").write_text("")
        (home / "bin").mkdir()
        (home / "bin" / "agent").symlink_to(package / "cli.js")
        (home / "bin" / "shell").symlink_to("/bin/sh")
        places = {mount.place for mount in programs((), {"HOME": str(home), "PATH": f"{home}/bin:/usr/bin"})}
        assert {home / "bin", package.parent} <= places
        assert not places & {home, Path("/bin/sh"), home / ".tools"}

    def test_a_script_of_the_command_is_readable_and_its_folder_is_not(self, tmp_path):
        (tmp_path / "agent.sh").write_text("")
        places = {mount.place for mount in programs(("sh", f"{tmp_path}/agent.sh", str(tmp_path)), {"HOME": "/h"})}
        assert tmp_path / "agent.sh" in places
        assert tmp_path not in places

    def test_a_home_folder_is_never_shown_for_its_programs(self, tmp_path):
        (tmp_path / "bin").mkdir()
        places = {
            mount.place for mount in programs((), {"HOME": str(tmp_path), "PATH": f"{tmp_path}:/:{tmp_path.parent}"})
        }
        assert not places & {tmp_path, tmp_path.parent, Path("/")}


def test_an_order_without_a_sandbox_sets_no_limits(tmp_path):
    from app.processes.spawning import write_order

    order = json.loads(write_order(tmp_path, ["true"], {}, "run").read_text())
    assert (order["limits"], order["has_walls"]) == (None, False)
    limits = msgspec.to_builtins(Limits())
    boxed = json.loads(write_order(tmp_path, ["true"], {}, "run", sandbox=confined()).read_text())
    assert (boxed["limits"], boxed["has_walls"], boxed["argv"][-1]) == (limits, True, "true")
