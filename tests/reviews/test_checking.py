"""Checks run where everybody sees them, on exactly what would be merged, and what fails stops the merge by name."""

import asyncio
import contextlib
import os
from pathlib import Path

import psutil
import pytest

from app.errors import Conflict
from app.events.reading import of_subject
from app.git.hooks import as_if_staged, hooks_of
from app.reviews.approving import approve
from app.reviews.checking import check_before, cut_off_checks, run_checks, state_of_checks
from app.reviews.comparing import compare
from app.reviews.tables import Check
from app.tasks.rows import TaskRow, get_task
from app.worktrees.rows import get_worktree
from tests.git.pictures import picture
from tests.git.repositories import commit, make_repository, user, write
from tests.visitor import Visitor
from tests.workshop import MARA, Workshop

ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "OPENAI_API_KEY": "sk-secret-of-a-test"}
ADD_FILE = "echo eight > spokes.txt"


def plant(root: Path, name: str, script: str, folder: str = ".git/hooks") -> None:
    write(root, {f"{folder}/{name}": f"#!/bin/sh\n{script}\n"})
    (root / folder / name).chmod(0o755)


async def results(task: TaskRow) -> dict[str, tuple[str, str]]:
    found = await state_of_checks(await compare(task))
    return {name: (row.status, row.log or "") if row else ("", "") for name, row in found}


async def refused(task: TaskRow, code: str, **fields: object) -> Conflict:
    before = (await get_task(task.id)).column
    with pytest.raises(Conflict) as raised:
        await approve(task.id, await workshop_approval(task, **fields), MARA)
    assert (raised.value.code, (await get_task(task.id)).column) == (code, before)
    return raised.value


async def workshop_approval(task: TaskRow, **fields: object):
    from app.reviews.forms import Approval

    return Approval(digest=(await compare(task)).digest, **fields)


async def test_a_hook_sees_the_change_as_staged_on_the_base_and_can_touch_nothing_else(workshop: Workshop) -> None:
    await workshop.configure(run_hooks=True)
    task = await workshop.done("Count the spokes", ADD_FILE)
    commit(workshop.root, {"later.txt": "on main\n"})
    plant(
        workshop.root,
        "pre-commit",
        "git diff --cached --name-status; git diff --name-only; git status --porcelain; pwd; env | grep KEY\n"
        "git reset -q --hard HEAD~1 2>&1; git update-index --force-remove README.md; exit 0",
    )
    plant(workshop.root, "commit-msg", 'cat "$1"')
    worktree = (await get_worktree(task.worktree_id)).root
    before, mine = picture(worktree), picture(workshop.root)
    await run_checks(task.id, MARA, ENV)
    found = await results(task)
    assert list(found) == ["pre-commit", "commit-msg"]
    assert found["pre-commit"][0] == "passed"
    assert found["pre-commit"][1].splitlines()[:3] == ["A\tspokes.txt", "A  spokes.txt", str(worktree)]
    assert "sk-secret-of-a-test" not in found["pre-commit"][1]
    assert found["commit-msg"][1].startswith("Count the spokes")
    assert (picture(worktree), picture(workshop.root)) == (before, mine)
    await approve(task.id, await workshop_approval(task), MARA)
    assert (workshop.root / "spokes.txt").read_text() == "eight\n"


async def test_off_by_default_and_never_hidden_inside_the_merge(workshop: Workshop) -> None:
    plant(workshop.root, "pre-commit", f"touch {workshop.folder}/ran; exit 1")
    task = await workshop.done("Count the spokes", ADD_FILE)
    assert await results(task) == {}
    with pytest.raises(Conflict, match="has no checks"):
        await run_checks(task.id, MARA, ENV)
    await approve(task.id, await workshop_approval(task), MARA)
    assert not (workshop.folder / "ran").exists()


async def test_what_fails_or_has_not_run_stops_the_merge_and_a_tick_is_recorded(workshop: Workshop) -> None:
    await workshop.configure(check_command=("sh", "-c", "echo looking; cat spokes.txt; exit 3"))
    task = await workshop.done("Count the spokes", ADD_FILE)
    refusal = await refused(task, "CHECKS_FAILED")
    assert refusal.details["failed"] == ["check command has not run on this change"]
    await check_before(task.id, (await compare(task)).digest, MARA, ENV)
    assert await results(task) == {"command": ("failed", "looking\neight\nsh ended with exit code 3.")}
    assert "check command failed" in (await refused(task, "CHECKS_FAILED")).message
    await approve(task.id, await workshop_approval(task, despite_checks=True), MARA)
    events = await of_subject(task.project_id, task.id)
    assert [e.payload["despite"] for e in events if e.kind == "task.decided"] == [["check command failed"]]
    assert [(e.actor, e.payload) for e in events if e.kind == "task.checked"] == [
        ("Mara Lindqvist", {"check": "command", "status": "failed"})
    ]


@pytest.mark.parametrize("moved", ["base", "branch"])
async def test_a_result_counts_only_for_what_it_was_made_on(workshop: Workshop, moved: str) -> None:
    await workshop.configure(check_command=("true",))
    task = await workshop.done("Count the spokes", ADD_FILE)
    await run_checks(task.id, MARA, ENV)
    assert await results(task) == {"command": ("passed", "")}
    place = workshop.root if moved == "base" else (await get_worktree(task.worktree_id)).root
    commit(place, {"later.txt": "later\n"})
    assert await results(task) == {"command": ("", "")}
    await refused(task, "CHECKS_FAILED")
    await run_checks(task.id, MARA, ENV)
    await approve(task.id, await workshop_approval(task), MARA)


async def test_a_check_that_changes_files_has_not_checked_what_is_there(workshop: Workshop) -> None:
    await workshop.configure(check_command=("sh", "-c", "echo formatted > spokes.txt"))
    task = await workshop.done("Count the spokes", ADD_FILE)
    await run_checks(task.id, MARA, ENV)
    status, log = (await results(task))["command"]
    assert (status, log) == ("failed", "It changed files, which the review now shows: spokes.txt")
    # Nothing is lost, and nothing is merged unseen: the change is saved and shown at the next look.
    await refused(task, "TASK_STALE_DIFF")
    await run_checks(task.id, MARA, ENV)
    await approve(task.id, await workshop_approval(task), MARA)
    assert (workshop.root / "spokes.txt").read_text() == "formatted\n"


async def test_while_a_check_runs_nobody_decides_and_a_cancelled_one_takes_its_processes_along(
    workshop: Workshop,
) -> None:
    await workshop.configure(check_command=("sh", "-c", "sleep 600 & echo $! > .git-pid; echo started; wait"))
    task = await workshop.done("Count the spokes", f"{ADD_FILE}\necho .git-pid >> .gitignore")
    worktree = (await get_worktree(task.worktree_id)).root
    running = asyncio.create_task(run_checks(task.id, MARA, ENV))
    sleeper = int((await workshop.file(".git-pid", worktree)).read_text())
    for other in (run_checks(task.id, MARA, ENV), approve(task.id, await workshop_approval(task), MARA)):
        with pytest.raises(Conflict):
            await other
    assert (await results(task))["command"][0] == "running"
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert not psutil.pid_exists(sleeper) or psutil.Process(sleeper).status() == psutil.STATUS_ZOMBIE
    assert await results(task) == {"command": ("error", "It was cut off.")}
    assert (await get_worktree(task.worktree_id)).status == "active"


async def test_a_start_ends_what_a_crash_cut_off(workshop: Workshop) -> None:
    await workshop.configure(check_command=("true",))
    task = await workshop.done("Count the spokes", ADD_FILE)
    await run_checks(task.id, MARA, ENV)
    await Check.update({Check.status: "running", Check.completed_at: None}, force=True)
    await cut_off_checks()
    assert await results(task) == {"command": ("error", "The server stopped while it ran.")}


async def test_on_the_page(workshop: Workshop, visitor: Visitor) -> None:
    await workshop.configure(check_command=("sh", "-c", "echo '<b>looked</b>'; test -e fixed"))
    task = await workshop.done("Count the spokes", ADD_FILE)
    review = f"/tasks/{task.id}/review"
    assert "Run the checks" in await visitor.page(review)
    answer = await visitor.send(review, f"/tasks/{task.id}/checks")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{review}#checks")
    page = await visitor.page(review)
    assert "Run again" in page
    assert "&lt;b&gt;looked&lt;/b&gt;" in page
    refusal = await visitor.send(review, f"/tasks/{task.id}/approve", message="What I typed")
    assert (refusal.status_code, 'data-error-code="CHECKS_FAILED"' in refusal.text) == (409, True)
    assert "What I typed" in refusal.text
    done = await visitor.send(review, f"/tasks/{task.id}/approve", despite_checks="true")
    assert done.status_code == 303


async def test_approving_on_the_page_runs_what_is_missing(workshop: Workshop, visitor: Visitor) -> None:
    await workshop.configure(check_command=("test", "-e", "spokes.txt"))
    task = await workshop.done("Count the spokes", ADD_FILE)
    assert (await visitor.send(f"/tasks/{task.id}/review", f"/tasks/{task.id}/approve")).status_code == 303
    assert (await get_task(task.id)).column == "verified"


async def test_hooks_are_found_where_git_looks_for_them(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "p")
    assert await hooks_of(root) == {}
    plant(root, "pre-commit", "true")
    plant(root, "post-commit", "true")
    write(root, {".git/hooks/commit-msg": "not executable"})
    user(root, "worktree", "add", "-q", "-b", "side", tmp_path / "w")
    assert await hooks_of(tmp_path / "w") == {"pre-commit": root / ".git/hooks/pre-commit"}
    plant(root, "commit-msg", "true", "tools/hooks")
    commit(root, {})
    user(root, "config", "core.hooksPath", "tools/hooks")
    assert await hooks_of(root) == {"commit-msg": root / "tools/hooks/commit-msg"}
    assert await hooks_of(tmp_path / "w") == {}
    async with as_if_staged(root, user(root, "rev-parse", "HEAD^{tree}"), user(root, "rev-parse", "HEAD^")) as staged:
        assert Path(staged["GIT_DIR"]).is_dir()
    assert not Path(staged["GIT_DIR"]).exists()
