"""What a card says can be changed at any time; it can be deleted while nobody works on it."""

import pytest

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.errors import Conflict, Invalid, InvalidId, NotFound
from app.events.reading import of_subject
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from app.runs.cancelling import cancel
from app.runs.claiming import claim_next
from app.runs.rows import runs_of_task
from app.tasks.creating import create_task
from app.tasks.editing import delete_task, edit_task
from app.tasks.forms import NewTask, TaskEdit
from app.tasks.moving import transition
from app.tasks.rows import TaskRow, get_task, tasks_of
from tests.git.repositories import make_repository, user
from tests.workshop import MARA, Workshop


async def add(project: ProjectRow, title: str, **fields: object) -> TaskRow:
    return await create_task(project.id, NewTask(title=title, **fields), MARA)


async def test_everything_on_the_card_can_be_changed(project: ProjectRow) -> None:
    task = await add(project, "Count", description="All.", labels=["a", "b"])
    bob = await create_agent(project.id, AgentForm(name="bob", runner="command", command="true"), MARA)
    form = TaskEdit(title="Count again", description=None, labels=["b", "c", "b"], agent_id=bob.id)
    edited = await edit_task(task.id, form, MARA)
    assert (edited.title, edited.description, edited.labels) == ("Count again", None, ("b", "c"))
    assert edited.metadata.wanted_agent_id == bob.id
    assert edited.updated_at > task.updated_at
    assert (edited.column, edited.position) == (task.column, task.position)
    assert [event.kind for event in await of_subject(project.id, task.id)] == ["task.created", "task.edited"]


async def test_an_edit_does_not_change_what_an_agent_was_told(project: ProjectRow) -> None:
    task = await add(project, "Count", start=True)
    claim = await claim_next(project.id)
    await edit_task(task.id, TaskEdit(title="Something else"), MARA)
    (run,) = await runs_of_task(task.id)
    assert run.prompt == "Count"
    edited = await get_task(task.id)
    assert (edited.title, edited.agent_id) == ("Something else", claim.agent_id)


async def test_an_edit_in_the_queue_keeps_what_the_next_run_is_for(project: ProjectRow) -> None:
    task = await add(project, "Count", start=True)
    edited = await edit_task(task.id, TaskEdit(title="Count all"), MARA)
    assert edited.metadata.pending is not None
    assert edited.metadata.pending.cause == "task"


@pytest.mark.parametrize("type_", ["conversational", "background"])
async def test_only_a_task_agent_of_this_project_can_be_wanted(project: ProjectRow, tmp_path, type_: str) -> None:
    task = await add(project, "Count")
    other_project = await create_project(NewProject(path=str(make_repository(tmp_path / "other"))), MARA)
    form = AgentForm(name="bob", type=type_, runner="command", command="true")
    wrong_type = await create_agent(project.id, form, MARA)
    elsewhere = await create_agent(other_project.id, AgentForm(name="bob", runner="command", command="true"), MARA)
    for agent in (wrong_type, elsewhere):
        with pytest.raises(Invalid) as refused:
            await edit_task(task.id, TaskEdit(title="Count", agent_id=agent.id), MARA)
        assert list(refused.value.fields) == ["agent_id"]
        with pytest.raises(Invalid):
            await add(project, "Another", agent_id=agent.id)
    assert [task.title for task in await tasks_of(project.id)] == ["Count"]


@pytest.mark.parametrize("column", ["backlog", "verified"])
async def test_a_card_that_nobody_works_on_is_deleted_and_closes_the_gap(project: ProjectRow, column: str) -> None:
    tasks = [await add(project, title) for title in "abc"]
    if column == "verified":
        for task in tasks:
            for event in ("start", "complete", "approve"):
                async with locked(project.id):
                    await transition(await get_task(task.id), event, actor=MARA)
    await delete_task(tasks[1].id, MARA)
    left = await tasks_of(project.id, column)
    assert sorted(task.title for task in left) == ["a", "c"]
    assert [task.position for task in left] == [0, 1]
    with pytest.raises(NotFound):
        await get_task(tasks[1].id)
    assert [e.kind for e in await of_subject(project.id, tasks[1].id)][-1] == "task.deleted"


async def test_a_card_that_work_hangs_on_is_not_deleted(workshop: Workshop) -> None:
    task = await workshop.until(
        await workshop.task("Count", agent=await workshop.agent("bob", "echo x > x; exit 1")), "error"
    )
    with pytest.raises(Conflict) as refused:
        await delete_task(task.id, MARA)
    assert refused.value.code == "TASK_INVALID_TRANSITION"
    done = await workshop.done("Done", "echo eight > spokes.txt")
    with pytest.raises(Conflict):
        await delete_task(done.id, MARA)
    assert len(await tasks_of(workshop.project.id)) == 2


async def test_the_branch_of_a_deleted_card_stays(workshop: Workshop) -> None:

    task = await workshop.done("Done", "echo eight > spokes.txt")
    await cancel(task.id, actor=MARA)
    await delete_task(task.id, MARA)
    assert user(workshop.root, "show", f"{task.branch}:spokes.txt") == "eight"


async def test_what_is_not_there_cannot_be_edited_or_deleted(project: ProjectRow) -> None:
    missing = "a23456789012345678901234"
    for verb in (edit_task(missing, TaskEdit(title="x"), MARA), delete_task(missing, MARA)):
        with pytest.raises(NotFound) as refused:
            await verb
        assert refused.value.code == "TASK_NOT_FOUND"
    with pytest.raises(InvalidId):
        await delete_task("../etc/passwd", MARA)
