import asyncio
import contextlib
from pathlib import Path

import psutil
import pytest

from app.git.environment import environment
from app.git.finishing import uninterrupted
from app.git.refusals import GitError, GitRefused
from app.git.running import git, read_up_to, require_git, stream
from tests.git.repositories import make_repository, user, write


async def test_output_and_code(place: Path) -> None:
    answer = await git(place, "ls-files", "-z")
    assert (answer.code, answer.fields) == (0, ["a.txt", "src/b.py"])
    assert (await git(place, "rev-parse", "--verify", "-q", "nowhere", check=False)).code == 1


async def test_failure_carries_what_git_said(place: Path) -> None:
    with pytest.raises(GitError, match="git cat-file failed") as failed:
        await git(place, "cat-file", "blob", "0" * 40)
    assert failed.value.code == 128
    assert failed.value.stderr


async def test_a_folder_that_vanished_is_an_error_of_git(tmp_path: Path) -> None:
    with pytest.raises(GitError):
        await git(tmp_path / "gone", "status")


async def test_input_reaches_git(place: Path) -> None:
    blob = (await git(place, "hash-object", "-w", "--stdin", input=b"x" * 1_000_000)).text
    assert (await git(place, "cat-file", "-s", blob)).text == "1000000"


async def test_output_stays_within_bounds(place: Path) -> None:
    blob = (await git(place, "hash-object", "-w", "--stdin", input=b"x" * 1_000_000)).text
    with pytest.raises(GitError, match="more than 1000 bytes"):
        await git(place, "cat-file", "blob", blob, limit=1000)
    assert await read_up_to(1000, place, "cat-file", "blob", blob) == (b"x" * 1000, True)
    assert await read_up_to(1_000_000, place, "cat-file", "blob", blob) == (b"x" * 1_000_000, False)


async def test_a_stream_that_fails_says_so(place: Path) -> None:
    chunks = stream(place, "cat-file", "blob", "0" * 40)
    with pytest.raises(GitError):
        await anext(chunks)


async def test_cancelling_ends_git(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "slow", {"a": "a\n"})
    user(place, "config", "alias.wait", f"!touch {tmp_path}/started; exec sleep 300; touch {tmp_path}/ended")
    waiting = asyncio.create_task(git(place, "wait"))
    async with asyncio.timeout(10):
        while not (tmp_path / "started").exists():
            await asyncio.sleep(0.01)
    waiting.cancel()
    async with asyncio.timeout(4):
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
    assert not (tmp_path / "ended").exists()


async def test_a_filter_that_hangs_is_ended_with_all_it_started(place: Path, tmp_path: Path) -> None:
    """Also one that lets go of git but not of its output."""
    user(place, "config", "filter.hangs.clean", f"echo $$ > {tmp_path}/pid; cat; sleep 300 &")
    write(place, {".gitattributes": "*.txt filter=hangs\n", "a.txt": "two\n"})
    with pytest.raises(GitError, match="took longer than 3 seconds"):
        await git(place, "add", "a.txt", seconds=3)
    group = int((tmp_path / "pid").read_text())
    assert not [process for process in psutil.process_iter() if process.name() == "sleep" and process.ppid() == group]
    assert not (place / ".git" / "index.lock").exists()


async def test_a_filter_sees_no_secret_of_the_server(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTPANE_SECRET_KEY", "do-not-tell")
    user(place, "config", "filter.spy.clean", f"env > {tmp_path}/seen; cat")
    write(place, {".gitattributes": "*.txt filter=spy\n", "a.txt": "two\n"})
    await git(place, "add", "a.txt")
    seen = (tmp_path / "seen").read_text()
    assert "PATH=" in seen
    assert "do-not-tell" not in seen


async def test_uninterrupted_work_ends_before_the_cancellation_goes_on() -> None:
    begun, done = asyncio.Event(), []

    async def work() -> None:
        begun.set()
        await asyncio.sleep(0.05)
        done.append(True)

    caller = asyncio.create_task(uninterrupted(work()))
    await asyncio.wait_for(begun.wait(), 5)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert done == [True]


async def test_variables_of_another_repository_are_not_inherited(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_repository(tmp_path / "other", {"other.txt": "\n"})
    for name in ("GIT_DIR", "GIT_COMMON_DIR"):
        monkeypatch.setenv(name, str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.bare")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    assert (await git(place, "ls-files", "-z")).fields == ["a.txt", "src/b.py"]
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    ("setting", "ours"),
    [
        ("core.hooksPath", "/dev/null"),
        ("core.fsmonitor", "false"),
        ("gc.auto", "0"),
        ("maintenance.auto", "false"),
        ("submodule.recurse", "false"),
        ("commit.gpgsign", "false"),
        ("log.showSignature", "false"),
        ("core.quotePath", "false"),
        ("protocol.ext.allow", "never"),
    ],
)
async def test_what_a_repository_configures_decides_nothing_here(place: Path, setting: str, ours: str) -> None:
    user(place, "config", setting, "planted")
    assert (await git(place, "config", "--get", setting)).text == ours


async def test_no_variable_of_a_surrounding_git_arrives(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = user(place, "rev-parse", "--local-env-vars").split()
    more = (
        "GIT_CEILING_DIRECTORIES",
        "GIT_EXTERNAL_DIFF",
        "GIT_TRACE",
        "GIT_ASKPASS",
        "SSH_ASKPASS",
        "GIT_SSH_COMMAND",
    )
    assert len(local) > 10
    for name in (*local, *more):
        monkeypatch.setenv(name, "planted")
    given = environment()
    assert [name for name, value in given.items() if value == "planted"] == []
    fixed = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_EDITOR": "false", "GIT_LITERAL_PATHSPECS": "1"}
    assert fixed.items() <= given.items()


async def test_an_old_or_missing_git_is_refused_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await require_git() >= (2, 38)
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 2.34.1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitRefused, match=r"git version 2.34.1 is too old: AgentPane needs git 2.38"):
        await require_git()
    old.unlink()
    with pytest.raises(GitRefused, match="git is not installed"):
        await require_git()
