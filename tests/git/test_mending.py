"""A crash in the middle of an advance, at each of its steps, and a person who went on working before the mend."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from app.git.advancing import advance
from app.git.mending import mend, release_locks
from app.git.refusals import GitRefused
from app.git.repository import inspect
from tests.git.benches import ARRIVED, GONE, Bench, Journal
from tests.git.repositories import State, commit, state, user, write

#: Runs an advance in a process of its own, which ends without a word at the step it is told.
CRASHING = """
import asyncio, os, sys
from pathlib import Path
from app.git.advancing import advance
from app.git.repository import inspect

step, root, old, new = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]

class Journal:
    async def open(self, checkout, old, new):
        print("open", flush=True)
        if step == "journaled":
            os._exit(9)
    async def close(self):
        os._exit(9 if step == "moved" else 1)

if step == "indexed":
    # The process ends the moment git is told to move the ref.
    def watch(event, args):
        if event == "subprocess.Popen" and "update-ref" in args[1]:
            os._exit(9)
    sys.addaudithook(watch)

async def main():
    await advance(await inspect(root), "main", old, new, Journal())

asyncio.run(main())
"""


async def crash(bench: Bench, step: str) -> None:
    process = await start(bench, step)
    assert await asyncio.wait_for(process.wait(), 30) == 9


async def start(bench: Bench, step: str) -> asyncio.subprocess.Process:
    arguments = (step, str(bench.root), bench.old, bench.new)
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", CRASHING, *arguments, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )


def assert_moved(bench: Bench, status: str = "") -> None:
    assert user(bench.root, "rev-parse", "main", "HEAD").split() == [bench.new, bench.new]
    assert user(bench.root, "status", "--porcelain") == status
    assert {path: (bench.root / path).read_text() for path in ARRIVED} == ARRIVED
    assert not any((bench.root / path).is_file() for path in GONE)
    assert not [file for file in (bench.root / ".git").iterdir() if "lock" in file.name or "agentpane" in file.name]


@pytest.mark.parametrize("step", ["journaled", "indexed", "moved"])
async def test_finishes_what_a_crash_cut_off(bench: Bench, step: str) -> None:
    write(bench.root, {"other": "mine\n"})
    await crash(bench, step)
    assert (bench.root / ".git" / "index.lock").exists()
    await mend(bench.root, "main", bench.old, bench.new)
    assert_moved(bench, "M other")


async def test_finishes_when_a_killed_git_had_written_half_of_the_files(bench: Bench, tmp_path: Path) -> None:
    gate = make_gate(bench, tmp_path)
    write(bench.root, {"other": "mine\n"})
    server = await start(bench, "files")
    await asyncio.wait_for(asyncio.to_thread(gate.read_bytes), 30)  # git is in the middle of the files now
    server.kill()
    await server.wait()
    with pytest.raises(GitRefused) as refused:
        await mend(bench.root, "main", bench.old, bench.new)
    assert refused.value.reason == "busy"  # our git outlived us and still works
    assert user(bench.root, "rev-parse", "main") == bench.old

    kill_group(int((tmp_path / "pid").read_text()))
    assert any((bench.root / path).is_file() for path in ARRIVED)
    user(bench.root, "config", "filter.slow.smudge", "cat")
    await mend_when_dead(bench)
    assert_moved(bench, "M other")


async def test_stops_at_a_file_that_somebody_edited_since(bench: Bench) -> None:
    await crash(bench, "journaled")
    write(bench.root, {"a": "mine\n"})
    before = state(bench.root)
    with pytest.raises(GitRefused) as refused:
        await mend(bench.root, "main", bench.old, bench.new)
    assert (refused.value.reason, refused.value.paths) == ("dirty", ("a",))
    assert without_lock(state(bench.root)) == without_lock(before)


async def test_keeps_edits_made_after_everything_but_the_ref_was_in_place(bench: Bench) -> None:
    await crash(bench, "indexed")
    write(bench.root, {"a": "mine\n"})
    await mend(bench.root, "main", bench.old, bench.new)
    assert user(bench.root, "rev-parse", "main") == bench.new
    assert user(bench.root, "status", "--porcelain") == "M a"
    assert (bench.root / "a").read_text() == "mine\n"


async def test_leaves_alone_a_person_who_has_gone_on(bench: Bench) -> None:
    await crash(bench, "moved")
    (bench.root / ".git" / "index.lock").unlink()
    commit(bench.root, {"a": "mine\n"})
    before = state(bench.root)
    await mend(bench.root, "main", bench.old, bench.new)
    assert without_lock(state(bench.root)) == without_lock(before)


async def test_a_lock_of_somebody_else_is_never_broken(bench: Bench) -> None:
    write(bench.root / ".git", {"index.lock": "DIRC"})
    with pytest.raises(GitRefused) as refused:
        await mend(bench.root, "main", bench.old, bench.new)
    assert refused.value.reason == "busy"
    assert await release_locks(await bench.repository()) == []
    assert (bench.root / ".git" / "index.lock").read_text() == "DIRC"


async def test_releases_a_lock_left_before_the_journal(bench: Bench, tmp_path: Path) -> None:
    user(bench.root, "worktree", "add", "-q", "-b", "side", tmp_path / "side")
    await crash(bench, "journaled")
    assert await release_locks(await bench.repository()) == [bench.root]
    assert await bench.advance() == bench.root
    assert_moved(bench)


async def test_a_full_disk_in_the_middle_leaves_the_journal_open(bench: Bench, tmp_path: Path) -> None:
    attributes = bench.root / ".git" / "info" / "attributes"
    attributes.write_text("newf filter=broken\n")
    user(bench.root, "config", "filter.broken.smudge", "false")
    user(bench.root, "config", "filter.broken.required", "true")
    journal = Journal()
    with pytest.raises(Exception, match="read-tree"):
        await advance(await inspect(bench.root), "main", bench.old, bench.new, journal)
    assert [entry[0] for entry in journal.entries] == ["open"]
    attributes.unlink()
    await mend(bench.root, "main", bench.old, bench.new)
    assert_moved(bench)


def make_gate(bench: Bench, folder: Path) -> Path:
    """A filter that says when git writes `newf`, and then never goes on."""
    gate, never = folder / "gate", folder / "never"
    os.mkfifo(gate)
    os.mkfifo(never)
    script = folder / "slow"
    script.write_text(f"#!/bin/sh\nps -o pgid= -p $$ > {folder}/pid\necho now > {gate}\ncat {never}\n")
    script.chmod(0o755)
    user(bench.root, "config", "filter.slow.smudge", str(script))
    (bench.root / ".git" / "info" / "attributes").write_text("newf filter=slow\n")
    return gate


def kill_group(group: int) -> None:
    assert group not in (0, os.getpgrp())
    os.killpg(group, signal.SIGKILL)


async def mend_when_dead(bench: Bench) -> None:
    """The killed processes let go of the lock when the system has ended them, some milliseconds later."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await mend(bench.root, "main", bench.old, bench.new)
            except GitRefused as refused:
                if refused.reason != "busy":
                    raise
                await asyncio.sleep(0.01)


def without_lock(seen: State) -> State:
    git_dir = {
        name: found for name, found in seen["git_dir"].items() if name != "index.lock" and "agentpane" not in name
    }
    return {**seen, "git_dir": git_dir}
