"""All projects on one page, and what needs a person in any of them."""

from pathlib import Path

from app.board.queries import overview
from app.board.views import ProjectRow as Line
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.projects.rows import ProjectRow, all_projects
from app.tasks.creating import create_task
from app.tasks.forms import NewTask
from tests.git.repositories import make_repository
from tests.visitor import Visitor
from tests.work import MARA, add_agent, begin, end, queue


async def test_counts_agents_and_what_waits_are_told_by_project(project: ProjectRow, tmp_path: Path) -> None:
    await add_agent(project.id, "worker-1")
    await end(await begin(project.id, "Ends well"))
    await end(await begin(project.id, "Fails"), "api_error", "No answer.")
    await add_agent(project.id, "worker-2")
    await begin(project.id, "Goes on")
    await queue(project.id, "In line")
    await create_task(project.id, NewTask(title="Later"), MARA)
    other = await create_project(NewProject(path=str(make_repository(tmp_path / "other"))), MARA)
    await end(await begin(other.id, "Elsewhere"))

    shown = await overview(await all_projects())
    first, second = shown.projects
    assert first == Line(
        id=other.id, name="other", path=other.path, default_branch="main", reviews=1, waiting_approval=1
    )
    assert (second.backlog, second.in_progress, second.waiting_approval, second.verified) == (1, 3, 1, 0)
    assert (second.reviews, second.errors, second.agents) == (1, 1, ("worker-2",))
    assert {(item.project_name, item.title, item.stage) for item in shown.attention} == {
        ("wheelwright", "Ends well", "review"),
        ("wheelwright", "Fails", "error"),
        ("other", "Elsewhere", "review"),
    }
    since = [item.since for item in shown.attention]
    assert since == sorted(since)  # type: ignore[type-var]


async def test_the_page_leads_to_each_thing_that_waits(visitor: Visitor, project: ProjectRow) -> None:
    done = await begin(project.id, "Ends <well>")
    await end(done)
    page = await visitor.page("/")
    assert f'href="/tasks/{done.task_id}/review"' in page
    assert "Ends &lt;well&gt;" in page
    assert "1 to review" in page
    assert 'aria-label="1 thing needs a person"' in page
