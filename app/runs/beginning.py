"""Begin a run in the database: its row, what it is asked, and the conversation that it goes on with."""

from collections.abc import Mapping

import msgspec

from app.agents.rows import AgentRow
from app.clock import now
from app.events.recording import SYSTEM, record
from app.ids import create_id
from app.postgres.reading import execute, scalar
from app.runs.tables import AgentRun, RunDetail
from app.tasks.rows import Pending, TaskRow
from app.tasks.starting import prompt_of

_WORDS = {
    "task": "began",
    "rejection": "began after a rejection",
    "conflict": "began with a conflict to resolve",
    "message": "began with a message",
    "undo": "began after its merge was undone",
    "background": "began",
    "restart": "began again with the server",
}


async def insert_run(
    agent: AgentRow,
    session_id: str,
    task_id: str | None,
    pending: Pending,
    prompt: str,
    values: Mapping[str, str] | None = None,
) -> str:
    """The id of a new run in `starting`; `values` are for the template of its prompt. The caller holds the project's
    lock."""
    run_id = create_id()
    number = 1 + int(await scalar("SELECT count(*) FROM agent_runs WHERE session_id = $1", session_id))
    await AgentRun.insert(
        AgentRun(
            id=run_id,
            agent_id=agent.id,
            task_id=task_id,
            project_id=agent.project_id,
            session_id=session_id,
            prompt=prompt,
            token_input_count=None,
            token_output_count=None,
            started_at=now(),
        )
    )
    takes_settings = agent.config.runner != "command"
    await RunDetail.insert(
        RunDetail(
            run_id=run_id,
            number=number,
            cause=pending.cause,
            runner=agent.config.runner,
            model=(agent.config.model or None) if takes_settings else None,
            max_turns=agent.config.max_turns if takes_settings else None,
            native_session_id=await conversation_of(session_id, agent),
            prompt_values=msgspec.json.encode({**(values or {}), **pending.values}).decode(),
        )
    )
    text = f"Run {number} {_WORDS.get(pending.cause, 'began again')}"
    await record(
        agent.project_id, "status", actor=SYSTEM, subject=run_id, session_id=session_id,
        payload={"text": text, "status": "starting"},
    )  # fmt: skip
    return run_id


async def prompt_for(task: TaskRow, session_id: str, agent: AgentRow, pending: Pending) -> str:
    """What the agent is asked; one that cannot remember the task is told it again."""
    if pending.cause in ("task", "retry") or await conversation_of(session_id, agent) is not None:
        return pending.prompt
    return f"{prompt_of(task)}\n\n{pending.prompt}"


async def conversation_of(session_id: str, agent: AgentRow) -> str | None:
    """The program's conversation of the session's last run with the same runner, to be resumed; a command cannot."""
    if agent.config.runner == "command":
        return None
    found = await scalar(
        "SELECT d.native_session_id FROM agent_runs r JOIN run_details d ON d.run_id = r.id"
        " WHERE r.session_id = $1 AND d.runner = $2 AND d.native_session_id IS NOT NULL"
        " ORDER BY d.number DESC LIMIT 1",
        session_id,
        agent.config.runner,
    )
    return str(found) if found else None


async def forget_conversation(session_id: str | None) -> None:
    """The next run of the session begins a new conversation. The caller holds the project's lock."""
    await execute(
        "UPDATE run_details SET native_session_id = NULL"
        " WHERE run_id IN (SELECT id FROM agent_runs WHERE session_id = $1)",
        session_id,
    )
