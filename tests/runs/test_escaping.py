"""Out of the sandbox: an agent tries what it can, and each attempt is refused. What it tries: `escapes.py`."""

import json
import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from litestar import Litestar
from msgspec import Struct

from app.postgres.reading import rows
from app.processes.sandbox import available
from app.runs.engine import Engine
from app.runs.retrying import retry
from app.tasks.rows import TaskRow
from app.worktrees.repeating import repeat
from tests.git.repositories import user
from tests.runs.escapes import ATTEMPTS
from tests.visitor import Visitor
from tests.workshop import MARA, Workshop

PROGRAM = Path(__file__).with_name("escapes.py")
PASSWORD = "p4ssw0rd-of-the-database"
#: What is tried without walls too, where it must work: it harms nothing but the test's own folders.
HARMLESS = (
    "write into the project's own copy", "make a file in the project's own copy", "write into another worktree",
    "read another worktree", "read an ignored secret of the project", "write a hook", "configure by git",
    "write this worktree's configuration", "tag",
    "move another task's branch", "read the data folder", "read the secret", "read the database's password",
    "read the data folder through a link", "read the password through a link", "read the server's environment",
    "find the server in /proc", "signal the server", "ask for another run", "change the program that asks",
)  # fmt: skip


class _Said(Struct):
    text: str


async def escaping(workshop: Workshop, app: Litestar, *names: str) -> tuple[TaskRow, dict[str, str]]:
    """The outcome of each attempt of an agent, beside another task that waits for approval."""
    assert os.getpid() > 500, "a number that no process in the sandbox has"
    other = await workshop.done("Another task", "echo x > x.txt")
    aims = {
        "project": str(workshop.root), "data": str(app.state.settings.data_dir), "server": os.getpid(),
        "other": str(next((workshop.root / ".worktrees").iterdir())), "branch": other.branch,
        "git": str(workshop.root / ".git"),
    }  # fmt: skip
    agent = await workshop.agent(
        "escaper", command=shlex.join([sys.executable, str(PROGRAM), json.dumps(aims), *names])
    )
    task = await workshop.until(await workshop.task("Escape", agent=agent), "waiting_approval")
    said = await rows(
        _Said,
        "SELECT payload ->> 'text' AS text FROM events WHERE session_id = $1 AND kind = 'message'"
        " AND coalesce(payload ->> 'role', '') = 'assistant' ORDER BY number",
        task.session_id,
    )
    lines = "\n".join(each.text for each in said).splitlines()
    return task, dict(line.split("\t", 1) for line in lines if "\t" in line)


@pytest.fixture
def secrets(app: Litestar, workshop: Workshop) -> Path:
    """Our data folder as a server has it, and a project with what no branch holds."""
    data = app.state.settings.data_dir
    (data / "postgres").mkdir(exist_ok=True)
    (data / "postgres" / "password").write_text(PASSWORD)
    (data / "secret_key").write_text("k" * 40)
    (workshop.root / ".env").write_text("SECRET=1\n")
    (workshop.root / ".git" / "info" / "exclude").write_text(".env\n/.worktrees/\n")
    user(workshop.root, "gc", "-q")
    return data


def everything(folder: Path) -> dict[str, bytes]:
    """What an agent must not have changed: the person's copy with its git data, but for what belongs to tasks."""
    kept = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not re.match(
            r"\.worktrees/|\.git/(objects/|worktrees/|(logs/)?refs/(heads/agent|agentpane)/)", name
        ):
            kept[name] = path.read_bytes()
    return kept


async def test_every_attempt_is_refused(
    walls: None, workshop: Workshop, app: Litestar, secrets: Path, visitor: Visitor
) -> None:
    user(workshop.root, "status")  # It writes the index once more, which is the person's own doing.
    before = everything(workshop.root)
    task, outcomes = await escaping(workshop, app)
    assert list(outcomes) == list(ATTEMPTS), "each was made"
    assert {name: said for name, said in outcomes.items() if not said.startswith("refused: ")} == {}
    missing = re.compile(r"No such file or directory: '(git|mount|unshare|nsenter)'|command not found")
    assert not [said for said in outcomes.values() if missing.search(said)], "each had its tool"

    assert everything(workshop.root) == before
    assert not [
        path for path in ("/usr/escaped", "/usr/local/bin/escaped", "/etc/escaped", "/escaped") if Path(path).exists()
    ]
    # What it left is on its own branch alone, and nothing of what its links lead to is read for the page.
    assert user(workshop.root, "log", "--format=%s", "-1", "main") == "First"
    assert await visitor.page(f"/tasks/{task.id}/review")
    for page in (f"/tasks/{task.id}/review", f"/sessions/{task.session_id}", f"/tasks/{task.id}"):
        assert PASSWORD not in await visitor.page(page)


async def test_without_walls_they_would_have_worked(workshop: Workshop, app: Litestar, secrets: Path) -> None:
    """Else the test before would prove nothing."""
    _, outcomes = await escaping(workshop, app, *HARMLESS)
    assert list(outcomes) == list(HARMLESS)
    assert {name: said for name, said in outcomes.items() if not said.startswith("got: ")} == {}


async def test_the_way_out_of_home_is_no_way_to_the_persons_programs(
    walls: None, workshop: Workshop, app: Litestar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    home = tmp_path / "home of the person"
    for name, text in {
        ".ssh/id_ed25519": "KEY", ".netrc": "KEY", ".aws/credentials": "KEY", ".gitconfig": "[user]\n\tname = Mara\n",
        ".claude/settings.json": "{}", ".claude/.credentials.json": "TOKEN", ".bashrc": "", ".cache/pip/x": "KEY",
    }.items():  # fmt: skip
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    monkeypatch.setenv("HOME", str(home))
    script = (
        "cat ~/.ssh/* ~/.netrc ~/.aws/* ~/.cache/pip/x ~/.claude/settings.json; git config user.name;"
        "cat ~/.claude/.credentials.json; echo; echo RENEWED > ~/.claude/.credentials.json;"
        "echo evil > ~/.bashrc; echo evil > ~/.claude/settings.json; echo evil > ~/.gitconfig; mkdir -p ~/.ssh;"
        "echo kept > ~/.cache/kept"
    )
    task = await workshop.done("Look around at home", script)
    said = "\n".join(
        each.text
        for each in await rows(
            _Said,
            "SELECT payload ->> 'text' AS text FROM events WHERE session_id = $1 ORDER BY number",
            task.session_id,
        )
        if each.text
    )
    assert "KEY" not in said
    assert "Mara\nTOKEN" in said
    assert "Read-only file system" in said  # ~/.gitconfig
    assert (home / ".bashrc").read_text() == ""
    assert (home / ".claude" / "settings.json").read_text() == "{}"
    assert (home / ".claude" / ".credentials.json").read_text() == "RENEWED\n"
    assert (home / ".gitconfig").read_text() == "[user]\n\tname = Mara\n"
    assert not (home / ".cache" / "kept").exists()

    task = await workshop.done("Look again", "cat ~/.cache/kept; cat ~/.bashrc; echo end")
    said = [
        each.text
        for each in await rows(
            _Said,
            "SELECT payload ->> 'text' AS text FROM events WHERE session_id = $1 AND kind = 'message' ORDER BY number",
            task.session_id,
        )
    ]
    assert said[-1] == "kept\nend"


async def test_what_the_settings_add_can_be_seen(walls: None, workshop: Workshop, tmp_path: Path) -> None:
    for name in ("shown", "open"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    await workshop.configure(sandbox_readable=(str(tmp_path / "shown"),), sandbox_writable=(str(tmp_path / "open"),))
    script = "cat shown/file > $OLDPWD/seen; echo more >> open/file; echo more >> shown/file; exit 0"
    script = f"cd {tmp_path}; {script}"
    task = await workshop.done("Use them", script)
    assert user(workshop.root, "show", f"{task.branch}:seen") == "shown"
    assert (tmp_path / "open" / "file").read_text() == "openmore\n"
    assert (tmp_path / "shown" / "file").read_text() == "shown"


async def test_set_up_steps_and_checks_are_behind_the_same_walls(
    walls: None, workshop: Workshop, app: Litestar, secrets: Path, visitor: Visitor
) -> None:
    look = f"cat {secrets}/secret_key {workshop.root}/.env; ls {secrets}; touch {workshop.root}/escaped; exit 0"
    (workshop.root / "look.sh").write_text(look)
    user(workshop.root, "add", "look.sh")
    user(workshop.root, "commit", "-qm", "A script")
    await workshop.configure(init_script="look.sh", install_command=("sh", "look.sh"), check_command=("sh", "look.sh"))
    task = await workshop.done("Set up", "echo x > x.txt")
    await visitor.send(f"/tasks/{task.id}/review", f"/tasks/{task.id}/checks")
    logs = await rows(
        _Said, "SELECT coalesce(log, '') AS text FROM worktree_steps WHERE name IN ('deps', 'init')"
        " UNION ALL SELECT coalesce(log, '') FROM checks",
    )  # fmt: skip
    assert len(logs) == 3
    for log in logs:
        assert log.text.count("No such file or directory") == 3, log.text
        assert "Read-only file system" in log.text
    assert not (workshop.root / "escaped").exists()


async def test_an_env_file_is_not_copied_through_a_link(walls: None, workshop: Workshop, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (workshop.root / "config").mkdir()
    (workshop.root / "config" / ".env").write_text("SECRET=1\n")
    (workshop.root / ".git" / "info" / "exclude").write_text(".env\n")
    await workshop.configure(env_file="config/.env")
    agent = await workshop.agent("linker", f"rm -rf config; ln -s {outside} config; exit 3")
    task = await workshop.until(await workshop.task("Link", agent=agent), "error")
    await repeat(str(task.worktree_id), "env", MARA)
    await retry(agent.id, MARA)

    async def failed_again() -> bool:
        runs = await workshop.runs(task)
        return (
            len(runs) == 2
            and runs[1].error_type == "setup_failed"
            and "beyond a symbolic link" in (runs[1].error or "")
        )

    await workshop.once(failed_again, "the second run says why it cannot begin")
    assert not (outside / ".env").exists()


class TestDemanded:
    async def test_what_cannot_be_had_starts_nothing(
        self, workshop: Workshop, app: Litestar, no_bubblewrap: None, visitor: Visitor
    ) -> None:
        await workshop.configure(sandbox="required")
        agent = await workshop.agent("nobody", "touch ran")
        task = await workshop.until(await workshop.task("Never", agent=agent), "error")
        run = (await workshop.runs(task))[0]
        assert run.error_type == "setup_failed"
        assert "A sandbox is required. No sandbox: bubblewrap is not installed." in (run.error or "")
        assert list((workshop.root / ".worktrees").glob("*/ran")) == []
        assert "bubblewrap is not installed" in await visitor.page(f"/tasks/{task.id}")
        assert "This agent" in await visitor.page(f"/agents/{agent.id}")

    async def test_without_one_the_run_the_card_and_the_agent_say_so(
        self, workshop: Workshop, app: Litestar, no_bubblewrap: None, visitor: Visitor
    ) -> None:
        await workshop.configure(sandbox="auto")
        agent = await workshop.agent("free", "echo x > x.txt")
        task = await workshop.until(await workshop.task("Free", agent=agent), "waiting_approval")
        warning = "No sandbox: bubblewrap is not installed."
        assert warning in await visitor.page(f"/sessions/{task.session_id}")
        assert warning in await visitor.page(f"/agents/{agent.id}")
        board = await visitor.page(f"/projects/{workshop.project.id}")
        assert board.count("no sandbox</span>") == 1

    async def test_with_one_nothing_is_said(self, walls: None, workshop: Workshop, visitor: Visitor) -> None:
        await workshop.configure(sandbox="required")
        task = await workshop.done("Quiet", "echo x > x.txt")
        for page in (f"/sessions/{task.session_id}", f"/projects/{workshop.project.id}", f"/agents/{task.agent_id}"):
            assert "no sandbox" not in (await visitor.page(page)).casefold()

    async def test_an_agent_can_demand_one_where_its_project_has_none(
        self, workshop: Workshop, app: Litestar, visitor: Visitor
    ) -> None:
        if available().why_not:
            pytest.skip("no sandbox here")
        await workshop.configure(sandbox="off")
        agent = await workshop.agent("careful", f"ls {workshop.root}/README.md > seen 2>&1; exit 0")
        page = f"/agents/{agent.id}"
        command = shlex.join(agent.config.command)
        sent = await visitor.send(page, page, name="careful", runner="command", command=command, sandbox="required")
        assert sent.status_code == 303
        task = await workshop.until(await workshop.task("Careful", agent=agent), "waiting_approval")
        assert "No such file" in user(workshop.root, "show", f"{task.branch}:seen")


@pytest.fixture
def no_bubblewrap(app: Litestar, monkeypatch: pytest.MonkeyPatch):
    """A machine on which it is not installed."""
    import shutil

    usual, found = app.state.settings, shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, *more, **by: None if name == "bwrap" else found(name, *more, **by)
    )
    available.cache_clear()
    yield
    monkeypatch.undo()
    available.cache_clear()
    app.state.settings = usual


async def test_a_link_that_came_later_opens_nothing_of_ours(
    walls: None, workshop: Workshop, app: Litestar, secrets: Path, tmp_path: Path
) -> None:
    """An agent may write where the settings let it, and put a link to our data in the place of what others may read."""
    (tmp_path / "above").symlink_to(secrets.parent)
    (tmp_path / "link").symlink_to(secrets)
    await workshop.configure(sandbox_readable=(str(tmp_path / "link"), str(tmp_path / "above")))
    look = (
        f"(cat {tmp_path}/link/secret_key; ls -A {tmp_path}/link {tmp_path}/above/{secrets.name}; echo end) > seen 2>&1"
    )
    task = await workshop.done("Follow", look)
    seen = user(workshop.root, "show", f"{task.branch}:seen")
    assert seen.count("No such file or directory") == 2
    assert seen.endswith(f"{tmp_path}/above/{secrets.name}:\nend")
