"""What pages ask about questions."""

from datetime import datetime

from msgspec import Struct

from app.permissions.rows import PermissionRow, get_permission, permissions_by_id
from app.permissions.showing import permission_view
from app.permissions.views import PermissionPage, PermissionView
from app.postgres.reading import one, rows
from app.projects.asked import OPEN_QUESTIONS


class OpenQuestion(Struct, frozen=True, kw_only=True):
    """One question that waits for a person, for a list: for a call, or at a limit. `title`: its task's, or its
    session's. `path` is where it is answered; `what` follows the agent's name."""

    path: str
    what: str
    project_id: str
    task_id: str | None
    title: str
    agent_name: str
    line: str
    asked_at: datetime


class _Name(Struct, frozen=True):
    id: str
    name: str


class _Place(Struct, frozen=True, kw_only=True):
    agent_name: str
    task_title: str | None
    session_title: str | None


async def open_questions(project_id: str | None = None) -> list[OpenQuestion]:
    """Everything that agents ask, of one project or of all; oldest first."""
    return await rows(
        OpenQuestion,
        "SELECT q.path, q.what, q.project_id, q.task_id, coalesce(t.title, s.title, 'Session') AS title,"  # noqa: S608
        f" a.name AS agent_name, q.line, q.asked_at FROM {OPEN_QUESTIONS} q JOIN agents a ON a.id = q.agent_id"
        " LEFT JOIN tasks t ON t.id = q.task_id LEFT JOIN sessions s ON s.id = q.session_id"
        " WHERE ($1::text IS NULL OR q.project_id = $1) ORDER BY q.asked_at, q.id",
        project_id,
    )


class _Wait(Struct, frozen=True):
    waits_since: datetime
    answered_at: datetime


async def waited_s(run_id: str) -> float:
    """Seconds for which the program of a run has waited for people; two questions at once count once."""
    waits = await rows(
        _Wait,
        "SELECT waits_since, answered_at FROM permission_requests WHERE run_id = $1 AND answered_at > waits_since"
        " ORDER BY waits_since",
        run_id,
    )
    seconds, end = 0.0, None
    for wait in waits:
        begin = max(wait.waits_since, end) if end else wait.waits_since
        seconds += max(0.0, (wait.answered_at - begin).total_seconds())
        end = max(wait.answered_at, end) if end else wait.answered_at
    return seconds


async def permission_page(request_id: str) -> tuple[PermissionRow, PermissionPage]:
    """One question and where it comes from. `PERMISSION_NOT_FOUND`."""
    request = await get_permission(request_id)
    place = await one(
        _Place,
        "SELECT a.name AS agent_name, t.title AS task_title, s.title AS session_title FROM agents a"
        " LEFT JOIN tasks t ON t.id = $2 LEFT JOIN sessions s ON s.id = $3 WHERE a.id = $1",
        request.agent_id,
        request.task_id,
        request.session_id,
    )
    assert place is not None, "a question goes with its agent"
    return request, PermissionPage(
        request=permission_view(request, place.agent_name),
        agent_id=request.agent_id,
        task_id=request.task_id or "",
        task_title=place.task_title or "",
        session_title=place.session_title or "",
    )


async def permission_views(ids: list[str]) -> dict[str, PermissionView]:
    """These questions, by their ids."""
    if not ids:
        return {}
    found = await permissions_by_id(ids)
    agents = list({request.agent_id for request in found})
    names = {each.id: each.name for each in await rows(_Name, "SELECT id, name FROM agents WHERE id = ANY($1)", agents)}
    return {request.id: permission_view(request, names[request.agent_id]) for request in found}
