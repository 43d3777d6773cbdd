"""What the list of runs shows, and where in its session a run begins."""

from typing import Literal

from msgspec import Struct

from app.postgres.paging import Place, page
from app.postgres.reading import one
from app.projects.asked import OPEN_QUESTIONS
from app.projects.rows import ProjectRow
from app.runs.rows import RunRow as StoredRun
from app.runs.views import RunList, RunRow
from app.sessions.record import PAGE
from app.sessions.showing import SHOWN
from app.web.paging import address

Status = Literal["", "starting", "running", "paused", "completed", "error"]

_SELECT = f"""
SELECT r.id, r.status, coalesce(r.error_type, '') AS error_type, coalesce(r.task_id, '') AS task_id,
  coalesce(t.title, '') AS task_title, coalesce(r.session_id, '') AS session_id,
  coalesce(r.turn_count, 0) AS turn_count, r.token_input_count,
  r.token_output_count, r.duration, r.started_at,
  EXISTS (SELECT 1 FROM {OPEN_QUESTIONS} q WHERE q.run_id = r.id) AS asks,
  r.agent_id, a.name AS agent_name, left(split_part(ltrim(r.prompt, E' \\n'), E'\\n', 1), 200) AS first_line
FROM agent_runs r JOIN agents a ON a.id = r.agent_id LEFT JOIN tasks t ON t.id = r.task_id
WHERE r.project_id = $1 AND (cardinality($2::text[]) = 0 OR r.status::text = ANY($2))
"""  # noqa: S608


class _Begin(Struct, frozen=True):
    number: int | None
    following: int


async def runs_page(project: ProjectRow, status: Status = "", place: Place | None = None) -> RunList:
    """A page of the project's runs, newest first; `running` takes in those that are starting."""
    wanted = ["starting", "running"] if status == "running" else [status] if status else []
    found = await page(RunRow, _SELECT, project.id, wanted, by=("r.started_at", "r.id"), place=place)
    return RunList(
        project_id=project.id,
        runs=tuple(found.rows),
        status=status,
        newer=address(found.newer, status=status),
        older=address(found.older, status=status),
    )


async def address_of(run: StoredRun) -> str:
    """Where a run is to be read: its session, at its first event; its agent where it has none."""
    if run.session_id is None:
        return f"/agents/{run.agent_id}"
    first = await one(
        _Begin,
        "WITH first AS (SELECT min(number) AS number FROM events"
        " WHERE session_id = $1 AND subject = $2 AND kind = ANY($3) AND payload ->> 'partial' IS NULL"
        " AND payload ->> 'quiet' IS NULL)"
        " SELECT first.number, (SELECT count(*)::int FROM events WHERE session_id = $1 AND kind = ANY($3)"
        " AND number >= first.number) AS following FROM first",
        run.session_id,
        run.id,
        list(SHOWN),
    )
    if first is None or first.number is None:
        return f"/sessions/{run.session_id}"
    page_of = "" if first.following <= PAGE else f"?after={first.number - 1}"
    return f"/sessions/{run.session_id}{page_of}#e{first.number}"
