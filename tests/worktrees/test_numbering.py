"""Each worktree on disk has a number of its own on this machine, and with it its ports."""

import asyncio
from pathlib import Path

import msgspec

from app.postgres.reading import execute
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.projects.rows import ProjectRow
from app.projects.tables import Project
from app.runs.claiming import claim_next
from app.tasks.ports import ports_of
from app.worktrees.removing import take_down
from app.worktrees.rows import WorktreeRow, get_worktree, steps_of
from tests.git.repositories import make_repository
from tests.work import MARA, begin, queue
from tests.workshop import Workshop


async def opened(project: ProjectRow) -> WorktreeRow:
    """The worktree of the task that is next in the queue."""
    claim = await claim_next(project.id)
    assert claim is not None
    return await get_worktree(claim.worktree_id)


async def test_the_smallest_free_number_is_given_and_comes_back_with_the_worktree(project: ProjectRow) -> None:
    one, two = [await get_worktree((await begin(project.id, title)).worktree_id) for title in ("One", "Two")]
    assert (one.number, two.number) == (1, 2)
    await take_down(one)
    assert (await get_worktree(one.id)).number is None
    three = await get_worktree((await begin(project.id, "Three")).worktree_id)
    assert three.number == 1


async def test_projects_that_begin_at_once_share_no_number(project: ProjectRow, tmp_path: Path) -> None:
    others = [await create_project(NewProject(path=str(make_repository(tmp_path / f"p{n}"))), MARA) for n in range(3)]
    projects = [project, *others]
    for each in projects:
        await queue(each.id, "One")
        await queue(each.id, "Two")
    found = await asyncio.gather(*(opened(each) for each in projects for _ in range(2)))
    assert sorted(worktree.number or 0 for worktree in found) == list(range(1, 9))


async def test_a_worktree_from_before_there_were_numbers_gets_one(project: ProjectRow) -> None:
    claim = await begin(project.id)
    await execute("DELETE FROM worktree_details")
    await execute("UPDATE agent_runs SET completed_at = now() WHERE id = $1", claim.run_id)
    await execute("UPDATE agents SET status = 'idle'")
    await execute("UPDATE tasks SET agent_id = NULL WHERE id = $1", claim.task_id)
    again = await opened(project)
    assert (again.id, again.number) == (claim.worktree_id, 1)


def test_ports_of_different_numbers_are_different() -> None:
    assert list(ports_of(1)) == list(range(20_000, 20_010))
    assert ports_of(2).start == ports_of(1).stop


async def test_agent_and_set_up_commands_are_told_number_and_ports(workshop: Workshop) -> None:
    told = "echo $AGENTPANE_WORKTREE_NUMBER $AGENTPANE_PORT_BASE"
    config = msgspec.structs.replace(workshop.project.config, install_command=("sh", "-c", told))
    await Project.update({Project.config: config.to_json()}).where(Project.id == workshop.project.id)
    task = await workshop.done("Look", f"{told} > told.txt")
    worktree = await get_worktree(task.worktree_id or "")
    assert (worktree.root / "told.txt").read_text() == "1 20000\n"
    (log,) = [step.log for step in await steps_of(worktree.id) if step.name == "deps"]
    assert (log or "").endswith("\n1 20000")
