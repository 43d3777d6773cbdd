"""What the end of a run means for its task, or for its session where it has none. In the project's lock."""

from typing import Any

import msgspec

from app.agents.rows import get_agent
from app.clock import now
from app.events.recording import SYSTEM
from app.postgres.reading import scalar
from app.runs.measuring import Work
from app.runs.rows import RunRow
from app.sessions import standalone
from app.sessions.messaging import ask_with_queue, follow_up_with_queue
from app.sessions.tables import StandaloneSession
from app.tasks.moving import transition, write
from app.tasks.rows import get_task


async def hand_in(task_id: str, run: RunRow, work: Work, *, handed_in: bool) -> None:
    """The task waits for approval with what was measured; not `handed_in`, it stays and waits for a person."""
    task = await get_task(task_id)
    if task.column != "in_progress":
        return
    metadata = msgspec.structs.replace(task.metadata, ended_by=run.error_type)
    text = msgspec.json.encode(metadata).decode()
    measured: dict[str, Any] = {
        "diff_summary": work.summary,
        "files_changed": work.files,
        "lines_added": work.added,
        "lines_removed": work.removed,
    }
    turns = int(await scalar("SELECT sum(turn_count) FROM agent_runs WHERE task_id = $1", task.id) or 0)
    known: dict[str, Any] = {**(measured if handed_in or run.work_saved else {}), "turn_count": turns}
    if not handed_in:
        await write(task, "task.failed", actor=SYSTEM, metadata=text, **known)
    # What a person said while the run went on is the agent's next turn, before anybody is asked for a decision.
    elif await follow_up_with_queue(task, await get_agent(run.agent_id), actor=SYSTEM, **known) is None:
        await transition(task, "complete", actor=SYSTEM, completed_at=now(), metadata=text, **known)


async def settle_session(session_id: str, run: RunRow, work: Work) -> None:
    """What was measured is kept, and messages that came meanwhile ask for the next run.

    A background agent that ended, or was stopped, is not started again; one that the server cut off will be.
    """
    session = await standalone.standalone(session_id)
    if session is None:
        return
    values: dict[Any, Any] = {}
    if run.work_saved:
        values = {
            StandaloneSession.files_changed: work.files,
            StandaloneSession.lines_added: work.added,
            StandaloneSession.lines_removed: work.removed,
        }
    if run.error_type != "interrupted":
        values[StandaloneSession.keeps_running] = False
    if values:
        await standalone.write(session.id, values)
    if run.status == "completed":
        await ask_with_queue(session, actor=SYSTEM)
