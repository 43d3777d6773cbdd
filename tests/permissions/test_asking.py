"""A call that must be asked for waits for a person, with the real Claude Code."""

import asyncio

import pytest

from app.agents.rows import get_agent
from app.errors import Conflict
from app.events.reading import of_session
from app.events.recording import Actor
from app.permissions.queries import waited_s
from app.permissions.rows import get_permission, of_call
from app.permissions.tables import PermissionRequest
from app.postgres.reading import execute, scalar
from app.runners.live import UNANSWERED
from app.runs.cancelling import cancel
from app.runs.pausing import request_pause, resume
from app.runs.rows import get_run
from app.runs.stopping import stop_run
from app.tasks.queries import task_page
from app.tasks.rows import get_task
from tests.permissions.asking import asking_task, last_run, question, say, settled, tags, tags_now
from tests.scripted_model import ScriptedModel
from tests.workshop import Workshop

JO = Actor("person", "Jo")


@pytest.fixture(autouse=True)
def _claude(claude_home: ScriptedModel) -> None:
    pass


async def test_a_call_waits_until_it_is_allowed_and_then_runs(workshop: Workshop) -> None:
    task = await asking_task(workshop)
    first = await question(workshop, task)
    run = await last_run(workshop, task)
    assert (first.tool, first.input["command"]) == ("Bash", "echo one >> tags.txt")
    assert (first.rule, first.why) == ("Bash(echo*)", "The rule Bash(echo*) asks a person for this call.")
    assert (first.task_id, first.run_id, first.session_id) == (task.id, run.id, run.session_id)
    page = await task_page(await get_task(task.id))
    assert (page.stage, page.primary.path if page.primary else "") == ("needs_you", f"/permissions/{first.id}")
    assert tags_now(workshop) == ""

    await say(first, "allowed", "Fine.")
    second = await question(workshop, task, other_than=first)
    assert tags_now(workshop) == "one\n"
    await say(second, "allowed")
    task = await workshop.until(task, "waiting_approval")
    assert tags(workshop, task) == "one\ntwo"
    kept = await get_permission(first.id)
    assert (kept.status, kept.answered_by, kept.note) == ("allowed", "Mara Lindqvist", "Fine.")
    assert kept.taken_at is not None
    assert kept.audit_id is not None
    assert await of_call(kept.audit_id) == kept
    assert await scalar("SELECT status::text FROM audit_logs WHERE id = $1", kept.audit_id) == "complete"


async def test_every_question_and_answer_is_an_event(workshop: Workshop) -> None:
    task = await asking_task(workshop)
    asked = await question(workshop, task)
    await say(asked, "denied", "Not now.")
    await say(await question(workshop, task, other_than=asked), "allowed")
    await workshop.until(task, "waiting_approval")
    told = [event for event in await of_session(asked.session_id, 0) if event.kind == "permission"]
    assert [(event.actor, event.payload["status"]) for event in told] == [
        ("opus-1", "open"), ("Mara Lindqvist", "denied"), ("opus-1", "open"), ("Mara Lindqvist", "allowed"),
    ]  # fmt: skip
    board = await scalar(
        "SELECT string_agg(kind || ' ' || actor, ', ' ORDER BY number) FROM events WHERE subject = $1", asked.id
    )
    assert board == "permission.asked opus-1, permission.answered Mara Lindqvist"


async def test_a_denied_call_does_not_run_and_the_agent_goes_on_with_the_note(
    workshop: Workshop, claude_home: ScriptedModel
) -> None:
    task = await asking_task(workshop)
    first = await question(workshop, task)
    await say(first, "denied", "Use a signed tag.")
    await say(await question(workshop, task, other_than=first), "allowed")
    task = await workshop.until(task, "waiting_approval")
    assert tags(workshop, task) == "two"
    refused = "Mara Lindqvist refused this call: Use a signed tag."
    assert [refused in asked.told for asked in claude_home.asked if asked.results == 1] == [True]
    assert await scalar("SELECT error FROM audit_logs WHERE id = $1", first.audit_id) == refused


async def test_what_is_allowed_for_the_task_is_not_asked_again_and_the_audit_says_so(workshop: Workshop) -> None:
    task = await asking_task(workshop)
    first = await question(workshop, task)
    await say(first, "allowed_for_task")
    task = await workshop.until(task, "waiting_approval")
    assert tags(workshop, task) == "one\ntwo"
    audit = await scalar("SELECT id FROM audit_logs WHERE input ->> 'command' = 'echo two >> tags.txt'")
    second = await of_call(audit)
    assert second is not None
    assert (second.status, second.answered_by, second.covered_by) == ("allowed", "Mara Lindqvist", first.id)
    assert second.note == "Not asked again: Mara Lindqvist allowed Bash(echo*) for this task."


async def test_a_rule_that_was_not_allowed_for_the_task_asks_all_the_same(workshop: Workshop) -> None:
    task = await asking_task(workshop, "Bash(echo*)\nBash(*two*)")
    first = await question(workshop, task)
    await say(first, "allowed_for_task")
    second = await question(workshop, task, other_than=first)
    assert (second.rule, second.why) == ("Bash(*two*)", "The rule Bash(*two*) asks a person for this call.")
    await say(second, "allowed")
    await workshop.until(task, "waiting_approval")


async def test_of_two_people_one_answers_and_the_other_is_told_who(workshop: Workshop) -> None:
    task = await asking_task(workshop)
    asked = await question(workshop, task)
    answers = await asyncio.gather(say(asked, "allowed"), say(asked, "denied", actor=JO), return_exceptions=True)
    (lost,) = [each for each in answers if isinstance(each, Conflict)]
    kept = await get_permission(asked.id)
    word = {"allowed": "allowed once", "denied": "denied"}[kept.status]
    assert (lost.code, str(lost)) == ("PERMISSION_SETTLED", f"{kept.answered_by} has answered already: {word}.")
    told = await scalar("SELECT count(*) FROM events WHERE kind = 'permission.answered' AND subject = $1", asked.id)
    assert told == 1


async def test_a_run_that_is_stopped_takes_its_question_back(workshop: Workshop) -> None:
    task = await asking_task(workshop)
    asked = await question(workshop, task)
    await stop_run(await last_run(workshop, task), JO)
    assert (await get_permission(asked.id)).status == "withdrawn"
    with pytest.raises(Conflict, match="Nobody waits for this answer any more"):
        await say(asked, "allowed")
    assert (await task_page(await get_task(task.id))).stage == "error"
    assert tags_now(workshop) == ""


async def test_a_task_that_is_cancelled_takes_its_question_back(workshop: Workshop) -> None:
    task = await asking_task(workshop)
    asked = await question(workshop, task)
    await cancel(task.id, actor=JO)
    assert (await get_permission(asked.id)).status == "withdrawn"


async def test_a_pause_takes_the_question_back_and_the_agent_may_ask_again(
    workshop: Workshop, claude_home: ScriptedModel
) -> None:
    task = await asking_task(workshop)
    asked = await question(workshop, task)
    await request_pause(await last_run(workshop, task), JO)
    await workshop.until(task, "paused")
    assert (await settled(workshop, asked)).status == "withdrawn"
    await resume(await last_run(workshop, task), JO)
    await say(await question(workshop, task), "allowed")
    task = await workshop.until(task, "waiting_approval")
    assert tags(workshop, task) == "two", "the call that nobody answered did not run"
    assert UNANSWERED in claude_home.asked[-2].told


async def test_a_program_that_dies_takes_its_question_back(workshop: Workshop) -> None:
    import os
    import signal

    from app.processes import trees

    task = await asking_task(workshop)
    asked = await question(workshop, task)
    for pid in trees.find_marked(asked.run_id):
        os.kill(pid, signal.SIGKILL)
    await workshop.until(task, "error")
    assert (await get_permission(asked.id)).status == "withdrawn"
    assert (await get_run(asked.run_id)).error_type == "process_exit"
    assert (await get_agent(asked.agent_id)).status == "error"


async def test_waiting_for_a_person_counts_for_no_limit(workshop: Workshop) -> None:
    """The limits of a run are counted anew after a rest from what is stored, and by its clock before."""
    task = await asking_task(workshop)
    first = await question(workshop, task)
    await execute("UPDATE permission_requests SET waits_since = waits_since - interval '30 minutes'")
    await say(first, "allowed")
    second = await question(workshop, task, other_than=first)
    assert 1800 <= await waited_s(first.run_id) < 1860
    await PermissionRequest.update({PermissionRequest.waits_since: first.waits_since}).where(
        PermissionRequest.id == second.id
    )
    await say(second, "allowed")
    assert 1800 <= await waited_s(first.run_id) < 1860
    await workshop.until(task, "waiting_approval")


async def test_a_run_may_be_asked_about_for_longer_than_it_may_be_silent_or_take(workshop: Workshop) -> None:
    from app.runners import limits

    seconds = {"idle": 1.0}
    original = limits.RunClock.__init__

    def short(clock: limits.RunClock, timeout_s: float, idle_timeout_s: float, **known: object) -> None:
        original(clock, 20.0, 5.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits.RunClock, "__init__", short)
        task = await asking_task(workshop)
        first = await question(workshop, task)
        await asyncio.sleep(5.0 + seconds["idle"])
    await say(first, "allowed_for_task")
    await workshop.until(task, "waiting_approval")
