"""Paging a list that grows while it is read."""

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from app.postgres.paging import Page, Place, page
from app.postgres.reading import execute
from app.projects.rows import ProjectRow

START = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


class Line(Struct, frozen=True):
    at: datetime
    id: str


async def write(project: ProjectRow, *numbers: int, at: datetime = START) -> None:
    """Sessions that changed a second apart."""
    for number in numbers:
        await execute(
            "INSERT INTO sessions (id, project_id, url, is_active, active_users, message_count, tool_call_count,"
            " created_at, updated_at) VALUES ($1, $2, $1, true, '[]', 0, 0, now(), $3)",
            f"s{number:03}",
            project.id,
            at + timedelta(seconds=number),
        )


async def read(project: ProjectRow, place: Place | None = None) -> Page[Line]:
    select = "SELECT s.updated_at AS at, s.id FROM sessions s WHERE s.project_id = $1"
    return await page(
        Line, f"SELECT * FROM ({select}) l WHERE true", project.id, by=("l.at", "l.id"), place=place, size=3
    )


def ids(found: Page[Line]) -> list[int]:
    return [int(line.id[1:]) for line in found.rows]


async def test_to_the_oldest_and_back(project: ProjectRow) -> None:
    await write(project, *range(1, 9))
    first = await read(project)
    assert (ids(first), first.newer) == ([8, 7, 6], None)
    second = await read(project, first.older)
    assert ids(second) == [5, 4, 3]
    last = await read(project, second.older)
    assert (ids(last), last.older) == ([2, 1], None)
    assert ids(await read(project, last.newer)) == [5, 4, 3]
    assert (await read(project, second.newer)) == first


async def test_new_rows_shift_nothing(project: ProjectRow) -> None:
    await write(project, *range(1, 7))
    first = await read(project)
    await write(project, 7, 8)
    second = await read(project, first.older)
    assert ids(second) == [3, 2, 1]
    assert ids(await read(project, second.newer)) == [6, 5, 4]


async def test_few_newer_rows_give_the_whole_first_page(project: ProjectRow) -> None:
    await write(project, 1, 2, 3, 4)
    found = await read(project, Place(START + timedelta(seconds=3), "s003", is_after=True))
    assert (ids(found), found.newer) == ([4, 3, 2], None)


async def test_rows_of_one_moment_are_told_apart_by_their_ids(project: ProjectRow) -> None:
    for number in range(1, 6):
        await write(project, number, at=START - timedelta(seconds=number))
    first = await read(project)
    second = await read(project, first.older)
    assert (ids(first), ids(second)) == ([5, 4, 3], [2, 1])


async def test_nothing_at_all(project: ProjectRow) -> None:
    assert await read(project) == Page([])
