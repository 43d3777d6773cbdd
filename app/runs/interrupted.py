"""What the last interruption left: each run that ended because the server went away, and what was saved of it."""

from datetime import datetime

from msgspec import Struct

from app.clock import now
from app.errors import Conflict
from app.events.recording import Actor, record
from app.postgres.reading import rows, scalar
from app.projects.locking import locked
from app.runs.rows import RunRow, get_run
from app.runs.tables import RunDetail


class Interrupted(Struct, frozen=True, kw_only=True):
    """A run that was interrupted and that nothing has followed yet."""

    run_id: str
    number: int
    #: Empty for a run of a chat.
    task_id: str
    title: str
    project_id: str
    project_name: str
    agent_id: str
    agent_name: str
    session_id: str
    branch: str
    ended_at: datetime
    turns: int
    #: Whether what lay in the worktree is committed on the branch; None of the counts is known when it is not.
    work_saved: bool
    files_changed: int
    lines_added: int
    lines_removed: int
    #: Whether the program remembers the conversation, so that it can go on in it.
    resumable: bool


#: The newest run of a session whose agent still holds it, ended by an interruption that nobody has settled. A
#: background agent is not among them: it goes on by itself.
_OPEN = """
FROM agent_runs r
JOIN run_details d ON d.run_id = r.id
JOIN sessions s ON s.id = r.session_id
JOIN agents a ON a.id = r.agent_id AND a.current_session_id = s.id AND a.status = 'error'
JOIN projects p ON p.id = r.project_id
LEFT JOIN tasks t ON t.id = r.task_id
LEFT JOIN standalone_sessions o ON o.session_id = s.id
LEFT JOIN worktrees w ON w.id = o.worktree_id
WHERE r.error_type = 'interrupted' AND d.kept_at IS NULL
  AND ((t."column" = 'in_progress' AND t.agent_id = a.id) OR (o.session_id IS NOT NULL AND a.type = 'conversational'))
  AND NOT EXISTS (SELECT 1 FROM agent_runs later JOIN run_details e ON e.run_id = later.id
                  WHERE later.session_id = s.id AND e.number > d.number)
"""


async def interrupted_runs() -> list[Interrupted]:
    """Those that wait for a choice, newest first."""
    return await rows(
        Interrupted,
        "SELECT r.id AS run_id, d.number, coalesce(t.id, '') AS task_id, coalesce(t.title, s.title, '') AS title,"
        " p.id AS project_id, p.name AS project_name, a.id AS agent_id, a.name AS agent_name, s.id AS session_id,"
        " coalesce(t.branch, w.branch, '') AS branch, r.completed_at AS ended_at,"
        " coalesce(r.turn_count, 0) AS turns, d.work_saved,"
        " coalesce(t.files_changed, o.files_changed, 0) AS files_changed,"
        " coalesce(t.lines_added, o.lines_added, 0) AS lines_added,"
        " coalesce(t.lines_removed, o.lines_removed, 0) AS lines_removed,"
        " (d.native_session_id IS NOT NULL AND d.runner <> 'command') AS resumable"
        f" {_OPEN} ORDER BY r.completed_at DESC, r.id",
    )


async def count_interrupted() -> int:
    """How many wait for a choice."""
    return int(await scalar(f"SELECT count(*) {_OPEN}"))


async def keep(run_id: str, actor: Actor) -> RunRow:
    """Leave an interrupted run as it is: it goes off the list. 409 for a run that was not interrupted."""
    run = await get_run(run_id)
    async with locked(run.project_id):
        if run.error_type != "interrupted":
            raise Conflict("This run was not interrupted, so there is nothing to settle.", "AGENT_NOT_RUNNING")
        kept = (
            await RunDetail.update({RunDetail.kept_at: now()})
            .where((RunDetail.run_id == run.id) & RunDetail.kept_at.is_null())
            .returning(RunDetail.run_id)
        )
        if kept:
            await record(run.project_id, "run.kept", actor=actor, subject=run.id)
    return await get_run(run_id)
