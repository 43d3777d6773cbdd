"""Processes of a run are found by pid and start, and by the marker that every one of them inherits."""

import asyncio
import os
import sys
from uuid import uuid4

import pytest

from app.processes import guard, trees


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
