"""Processes of a run are found by pid and start, and by the marker that every one of them inherits."""

import asyncio
import os
import sys
import time
from uuid import uuid4

import pytest

from app.processes import guard, trees
from app.processes.spawning import spawn


@pytest.fixture
async def marked():
    """A program that ignores TERM, with a run's marker in its environment."""
    run_id = uuid4().hex
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, env={guard.MARKER: run_id}
    )
    assert await process.stdout.readline() == b"up\n"
    yield process, run_id
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_a_process_is_known_by_pid_and_start(marked):
    process, _ = marked
    ticks = trees.start_ticks(process.pid)
    assert trees.is_alive(process.pid, ticks)
    assert not trees.is_alive(process.pid, ticks + 1)
    assert trees.start_ticks(process.pid) == ticks


def test_nobody_is_not_alive():
    assert not trees.is_alive(2**22 + 1, None)
    assert trees.start_ticks(2**22 + 1) is None


def test_the_boot_has_a_name():
    assert trees.boot_id() == trees.boot_id() != ""


async def test_marked_processes_are_found_and_swept(marked):
    process, run_id = marked
    assert trees.find_marked(run_id) == [process.pid]
    assert await trees.sweep(run_id, grace_s=0.1) == 1
    assert trees.find_marked(run_id) == []


async def test_a_sweep_without_prey_is_quick():
    assert await trees.sweep(uuid4().hex) == 0


async def test_end_tree_makes_a_stubborn_process_end(marked):
    process, run_id = marked
    await trees.end_tree(process.pid, trees.start_ticks(process.pid), run_id, grace_s=0.1)
    assert not trees.is_alive(process.pid, None)


async def test_end_tree_leaves_a_later_process_of_that_number_alone(marked):
    process, _ = marked
    await trees.end_tree(process.pid, trees.start_ticks(process.pid) - 1, "another run", grace_s=0.1)
    assert trees.is_alive(process.pid, None)


async def test_waiting_has_an_end(marked):
    process, _ = marked
    assert not await trees.wait_gone(process.pid, trees.start_ticks(process.pid), 0.05)
    process.kill()
    assert await trees.wait_gone(process.pid, trees.start_ticks(process.pid), 5)


def test_descendants_are_all_levels_below():
    assert os.getpid() in guard.descendants(os.getppid())


async def test_every_marked_run_is_found(marked):
    process, run_id = marked
    assert trees.marked_runs()[run_id] == [process.pid]


TREE = """
import os, signal, subprocess, sys, time
child = subprocess.Popen(["setsid", "tail", "-f", "/dev/null"])
print(os.getpid(), child.pid, flush=True)
count = 0
while True:
    count += 1
    open(sys.argv[1], "w").write(str(count))
    time.sleep(0.01)
"""


@pytest.fixture
async def counting(tmp_path):
    """A guarded program that counts in a file, with a child in a session of its own."""
    process = await spawn(
        [sys.executable, "-c", TREE, str(tmp_path / "count")],
        env={"PATH": os.environ["PATH"]}, cwd=tmp_path, state_dir=tmp_path, marker=uuid4().hex,
    )  # fmt: skip
    pids = [int(pid) for pid in (await process.stdout.batch())[0].text.split()]
    async with asyncio.timeout(10):
        while not (tmp_path / "count").exists():
            await asyncio.sleep(0.01)
    yield process, pids, tmp_path / "count"
    await process.end()


async def test_a_whole_tree_stands_still_and_goes_on(counting):
    process, pids, count = counting
    assert await process.freeze()
    assert all(trees.stands_still(pid) for pid in pids)
    assert not trees.stands_still(process.pid)
    before = count.read_text()
    await asyncio.sleep(0.1)
    assert count.read_text() == before
    await process.thaw()
    async with asyncio.timeout(5):
        while count.read_text() in ("", before):
            await asyncio.sleep(0.01)


async def test_what_stands_still_is_asked_to_end_like_anything_else(counting):
    process, pids, _ = counting
    await process.freeze()
    began = time.monotonic()
    await process.end()
    assert time.monotonic() - began < 2  # Nobody had to wait for the kill.
    assert not [pid for pid in pids if trees.is_alive(pid, None)]
    assert not await process.freeze()
