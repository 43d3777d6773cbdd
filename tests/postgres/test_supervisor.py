"""The embedded server: starts everywhere, survives what machines do to it, and never outlives us."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from app.postgres.errors import PostgresError
from app.postgres.supervisor import EmbeddedServer
from tests.databases import ask, served

OWNER = """
import asyncio, sys
from pathlib import Path
from app.postgres.supervisor import EmbeddedServer

async def main():
    server = EmbeddedServer(Path(sys.argv[1]))
    await server.start()
    print(server.pid, server.attached, server.url, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()

asyncio.run(main())
"""


async def owner(folder: Path) -> asyncio.subprocess.Process:
    """Another process that serves `folder` until its standard input is closed."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, "-c", OWNER, folder, stdin=pipe, stdout=pipe)


async def told(process: asyncio.subprocess.Process) -> tuple[int, bool, str]:
    assert process.stdout
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    pid, attached, url = line.decode().split()
    return int(pid), attached == "True", url


async def until_dead(pid: int) -> None:
    async with asyncio.timeout(20):
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.02)


async def test_a_server_keeps_its_rows_over_a_stop(folder: Path) -> None:
    async with served(folder) as server:
        await ask(server.url, "INSERT INTO kept VALUES (41)")
        pid = server.pid
    assert not psutil.pid_exists(pid)
    async with served(folder) as server:
        assert await ask(server.url, "SELECT count(*) FROM kept WHERE number = 41") == 1


async def test_its_address_stays_the_same(folder: Path) -> None:
    async with served(folder) as server:
        url = server.url
    async with served(folder) as server:
        assert server.url == url


async def test_it_is_durable_and_closed_to_others(folder: Path) -> None:
    async with served(folder) as server:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            assert await ask(server.url, f"SHOW {setting}") == "on"
        assert await ask(server.url, "SHOW listen_addresses") == "127.0.0.1"
        assert await ask(server.url, "SHOW unix_socket_directories") == ""
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(server.url.replace(":", ":x", 2).replace(":x", ":", 1), "SELECT 1")
        assert psutil.Process(server.pid).uids().effective != 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600


async def test_a_long_path_below_a_private_folder_with_spaces_works_and_stays_private(tmp_path: Path) -> None:
    private = tmp_path / "private folder"
    private.mkdir(mode=0o700)
    deep = private / ("long " * 24).strip() / "postgres"
    assert len(str(deep)) > 150
    async with served(deep) as server:
        assert await ask(server.url, "SELECT lower('Ä') || $1::text", "ö") == "äö"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


async def test_a_killed_server_starts_again_with_every_commit(folder: Path) -> None:
    server = EmbeddedServer(folder)
    await server.start()
    await ask(server.url, "INSERT INTO kept SELECT 1000 FROM generate_series(1, 500)")
    os.kill(server.pid, signal.SIGKILL)
    await until_dead(server.pid)
    await server.stop()
    async with served(folder) as again:
        assert await ask(again.url, "SELECT count(*) FROM kept WHERE number = 1000") == 500


async def test_watch_brings_a_killed_server_back_on_the_same_port(folder: Path) -> None:
    async with served(folder) as server:
        watch, url, pid = asyncio.create_task(server.watch()), server.url, server.pid
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(30):
            while not await _answers(url):
                await asyncio.sleep(0.02)
        assert server.url == url
        assert server.pid != pid
        watch.cancel()
        await asyncio.wait([watch])


async def test_watch_outlives_any_number_of_kills_at_any_moment_of_a_start(folder: Path) -> None:
    async with served(folder) as server:
        watch = asyncio.create_task(server.watch())
        for number in range(12):
            with suppress(ProcessLookupError, PostgresError):  # It is just being started.
                os.kill(server.pid, signal.SIGKILL)
            await asyncio.sleep(0.05 * (number % 6))
        async with asyncio.timeout(60):
            while not await _answers(server.url):
                await asyncio.sleep(0.02)
        assert not watch.done()
        watch.cancel()
        await asyncio.wait([watch])


async def test_the_server_goes_with_its_killed_parent(folder: Path) -> None:
    parent = await owner(folder)
    pid, attached, _ = await told(parent)
    assert psutil.pid_exists(pid)
    assert not attached
    parent.kill()
    await parent.wait()
    async with served(folder) as server:  # also where the kernel does not tell the server
        assert not server.attached
        assert server.pid != pid
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_a_second_process_attaches_and_leaves_the_server_up(folder: Path) -> None:
    async with served(folder) as server:
        second = await owner(folder)
        assert await told(second) == (server.pid, True, server.url)
        await second.communicate(b"")
        assert second.returncode == 0
        assert await ask(server.url, "SELECT 1") == 1


async def test_of_three_first_starts_at_once_one_owns_and_two_attach(tmp_path: Path) -> None:
    starters = [await owner(tmp_path / "postgres") for _ in range(3)]
    answers = [await told(starter) for starter in starters]
    assert sorted(attached for _, attached, _ in answers) == [False, True, True]
    assert len({url for _, _, url in answers}) == 1
    attached_first = sorted(zip(answers, starters, strict=True), key=lambda pair: not pair[0][1])
    for _, starter in attached_first:
        await starter.communicate(b"")


async def test_an_attached_process_takes_over_when_the_owner_ends(folder: Path) -> None:
    first = await owner(folder)
    pid, _, url = await told(first)
    async with served(folder) as server:
        assert server.attached
        watch = asyncio.create_task(server.watch())
        await first.communicate(b"")
        async with asyncio.timeout(30):
            while server.attached or not await _answers(url):
                await asyncio.sleep(0.02)
        assert server.pid != pid
        watch.cancel()
        await asyncio.wait([watch])


@pytest.mark.parametrize("lines", ["", "nonsense\n", "{other}\n", "{zombie}\n{data}\n0\n5432\n\n127.0.0.1\n\nready\n"])
async def test_a_pid_file_that_a_crash_left_is_no_obstacle(folder: Path, lines: str) -> None:
    with subprocess.Popen(["sleep", "60"]) as other, subprocess.Popen(["true"]) as zombie:
        note = lines.format(other=other.pid, zombie=zombie.pid, data=folder / "cluster")
        (folder / "cluster" / "postmaster.pid").write_text(note)
        async with served(folder) as server:
            assert await ask(server.url, "SELECT 1") == 1
        assert other.poll() is None
        other.kill()


async def test_a_full_note_of_a_reused_pid_is_no_obstacle(folder: Path) -> None:
    server = EmbeddedServer(folder)
    await server.start()
    note = folder / "cluster" / "postmaster.pid"
    text = note.read_text()
    await server.stop()
    with subprocess.Popen(["sleep", "60"]) as other:
        note.write_text(text.replace(text.split("\n")[0], str(other.pid), 1))
        async with served(folder) as again:
            assert await ask(again.url, "SELECT 1") == 1
        other.kill()


async def test_a_cluster_of_another_major_version_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "cluster"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("12\n")
    with pytest.raises(PostgresError, match="made by PostgreSQL 12"):
        await EmbeddedServer(tmp_path / "postgres").start()


async def test_a_folder_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "cluster").mkdir(parents=True)
    (tmp_path / "postgres" / "cluster" / "diary.txt").write_text("mine")
    with pytest.raises(PostgresError, match="is not a database"):
        await EmbeddedServer(tmp_path / "postgres").start()
    assert (tmp_path / "postgres" / "cluster" / "diary.txt").read_text() == "mine"


async def test_a_broken_cluster_says_why_it_does_not_start(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    async with served(folder):
        pass
    (folder / "cluster" / "postgresql.conf").write_text("no such setting\n")
    with pytest.raises(PostgresError, match=r"did not start: .*postgresql\.conf"):
        await EmbeddedServer(folder).start()


async def test_another_port_is_taken_when_the_last_is_in_use(folder: Path) -> None:
    server = EmbeddedServer(folder)
    await server.start()
    port = int(server.url.rsplit(":", 1)[1].split("/")[0])
    await server.stop()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        await server.start()
        assert f":{port}/" not in server.url
        await server.stop()


async def _answers(url: str) -> bool:
    with suppress(OSError, asyncpg.PostgresError):
        return await ask(url, "SELECT 1") == 1
    return False
