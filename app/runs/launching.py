"""Write that the program of a run is about to start, for the first time or after a rest, and with which words."""

import msgspec

from app.agents import states
from app.configuration.sources import Configuration
from app.events.recording import SYSTEM, record
from app.ids import create_id
from app.permissions.rows import unsettled_of_run
from app.postgres.reading import execute
from app.processes import trees
from app.projects.locking import locked
from app.runners.base import GO_ON
from app.runs import states as run_states
from app.runs.budgeting import Accounts
from app.runs.claiming import Claim
from app.runs.configured import keep_in_lock, kept_of
from app.runs.outlasting import ASK_AGAIN
from app.runs.pausing import go_on_in_lock
from app.runs.rows import RunRow, get_run
from app.runs.tables import RunDetail
from app.runs.wording import worded
from app.sessions.messaging import deliver_all_in_lock
from app.tasks.rows import get_task
from app.tasks.tables import Task


async def launch(claim: Claim, configuration: Configuration, *, unconfined: str) -> str | None:
    """What the program is to be told, once the run is `running`; None where it is to rest or to end instead.

    `configuration` is kept with the run, and its templates make the words. `unconfined` says why it has no sandbox;
    empty where it has one.
    """
    async with locked(claim.project_id):
        await Accounts(claim).count(None, judge=True)
        run = await get_run(claim.run_id)
        if run.pause_requested or run.stop_requested:
            return None
        await _note_sandbox(claim, unconfined)
        await RunDetail.update({RunDetail.boot_id: trees.boot_id()}).where(RunDetail.run_id == run.id)
        if run.status == "paused":
            await go_on_in_lock(claim, run)
        else:
            await run_states.change(run, "begin", actor=SYSTEM)
            await states.change(claim.project_id, claim.agent_id, "begin", actor=SYSTEM)
        return await _words(claim, run, await _prompt(run, configuration))


async def _prompt(run: RunRow, configuration: Configuration) -> str:
    prompt = run.prompt if run.turn_count else worded(run, await kept_of(run.id), configuration)
    await keep_in_lock(run, configuration, prompt)
    return prompt


async def _note_sandbox(claim: Claim, unconfined: str) -> None:
    """On the record, and for the card, which shows it as long as it shows this run."""
    if claim.task_id is not None:
        metadata = msgspec.structs.replace((await get_task(claim.task_id)).metadata, no_sandbox=bool(unconfined))
        await Task.update({Task.metadata: msgspec.json.encode(metadata).decode()}).where(Task.id == claim.task_id)
    if unconfined:
        payload = {"text": unconfined, "status": "warning"}
        await record(
            claim.project_id, "status", actor=SYSTEM, subject=claim.run_id,
            session_id=claim.session_id, payload=payload,
        )  # fmt: skip


async def _words(claim: Claim, run: RunRow, prompt: str) -> str:
    asked = await unsettled_of_run(run.id)
    if run.turn_count or asked:
        words = [ASK_AGAIN.format(tool=each.tool) for each in asked[:1]]
        return "\n\n".join([*words, *filter(None, [await deliver_all_in_lock(claim.session_id)])]) or GO_ON
    if run.cause in ("task", "background"):
        await _record_task(claim, prompt)
    return prompt


async def _record_task(claim: Claim, prompt: str) -> None:
    payload = {"message": create_id(), "text": prompt, "role": "user"}
    await record(
        claim.project_id, "message", actor=SYSTEM, subject=claim.run_id,
        session_id=claim.session_id, payload=payload,
    )  # fmt: skip
    await execute("UPDATE sessions SET message_count = message_count + 1 WHERE id = $1", claim.session_id)
