"""From what a person typed to the row that is meant: an id, the beginning of one, or a project's name."""

from collections.abc import Sequence
from typing import TypeVar

from app.errors import BadRequest, NotFound
from app.postgres.reading import rows
from app.projects.rows import ProjectRow, all_projects
from app.tasks.rows import SELECT_TASK, TaskRow

#: Characters of an id that may stand for the whole.
SHORTEST = 6

Row = TypeVar("Row")


async def find_project(typed: str) -> ProjectRow:
    """The project with this id or name, or with this beginning of its id. `PROJECT_NOT_FOUND`, or several."""
    projects = await all_projects()
    meant = (
        [each for each in projects if each.id == typed]
        or [each for each in projects if each.name.lower() == typed.lower()]
        or [each for each in projects if each.id.startswith(_beginning(typed))]
    )
    return _only(meant, "project", typed)


async def chosen_projects(typed: str | None) -> list[ProjectRow]:
    """The one project that was named, or all of them by name."""
    return [await find_project(typed)] if typed else await all_projects()


async def find_task(typed: str) -> TaskRow:
    """The task with this id or this beginning of its id. `TASK_NOT_FOUND`, or several."""
    meant = await rows(TaskRow, f"{SELECT_TASK} WHERE starts_with(id, $1) ORDER BY id LIMIT 2", _beginning(typed))
    return _only(meant, "task", typed)


def _beginning(typed: str) -> str:
    """What an id must begin with; for something too short, what no id begins with."""
    return typed if len(typed) >= SHORTEST else "-"


def _only(meant: Sequence[Row], noun: str, typed: str) -> Row:
    if not meant:
        raise NotFound(f"There is no {noun} '{typed}'.", f"{noun.upper()}_NOT_FOUND")
    if len(meant) > 1:
        raise BadRequest(f"'{typed}' can mean more than one {noun}: give the id.")
    return meant[0]
