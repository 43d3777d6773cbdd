"""A person is asked for the calls of a program that speaks ACP, by the same rules as for Claude."""

import asyncio

import pytest

from app.processes import trees
from app.runners.base import GO_ON, Answer, Message, Question, Rested, ToolFinished
from app.runners.permissions import Rules
from tests.runners.running import Person, collect, only
from tests.runners.test_acp import acp, heard, run, spec_for

ASK = Rules(ask=("Bash(*touch*)",))


class Nobody:
    """Is asked, and never answers."""

    def __init__(self) -> None:
        self.asked, self.taken_back = asyncio.Event(), asyncio.Event()

    async def __call__(self, _question: Question) -> Answer:
        self.asked.set()
        try:
            await asyncio.Event().wait()
            raise AssertionError("nobody answers")
        finally:
            self.taken_back.set()


async def test_a_call_waits_longer_than_the_run_may_be_silent_and_then_runs(tmp_path):
    person = Person(Answer(allowed=True), after_s=3)
    spec = spec_for(tmp_path, "journey", rules=ASK, ask=person, idle_timeout_s=2, timeout_s=20)
    events = await run(spec)
    [question] = person.asked
    assert (question.tool, question.rule) == ("bash", "Bash(*touch*)")
    assert question.input == {"command": "echo hello; touch done.txt"}
    assert only(ToolFinished, events)[0].status == "complete"
    assert events[-1].error_type is None


async def test_a_denied_call_does_not_run_and_the_model_is_told_the_note(tmp_path):
    person = Person(Answer(allowed=False, note="Not here.", by="Ada"))
    spec = spec_for(tmp_path, "refuses", rules=ASK, ask=person)
    events = await run(spec)
    assert not (spec.cwd / "forbidden.txt").exists()
    refused = only(ToolFinished, events)[0]
    assert (refused.status, refused.error) == ("denied", "Ada refused this call: Not here.")
    # Some programs end their turn there, so the note comes as the next prompt.
    assert "Ada refused this call: Not here." in events[-1].result


async def test_a_rule_that_refuses_comes_before_one_that_asks(tmp_path):
    person = Person(Answer(allowed=True))
    rules = Rules(ask=("Bash",), deny=("Bash(*touch*)",))
    events = await run(spec_for(tmp_path, "journey", rules=rules, ask=person))
    assert person.asked == []
    assert only(ToolFinished, events)[0].status == "denied"


@pytest.mark.parametrize("end", ["stop", "pause"])
async def test_a_question_is_taken_back_when_the_run_ends_or_rests(tmp_path, end):
    nobody = Nobody()
    spec = spec_for(tmp_path, "journey", rules=ASK, ask=nobody)
    live = await acp.start(spec)
    collecting = asyncio.create_task(collect(live))
    await asyncio.wait_for(nobody.asked.wait(), 30)
    await (live.stop() if end == "stop" else live.pause())
    await asyncio.wait_for(nobody.taken_back.wait(), 10)
    events = await collecting
    assert isinstance(events[-1], Rested) is (end == "pause")
    assert not (spec.cwd / "done.txt").exists()
    assert trees.find_marked(spec.run_id) == []


@pytest.mark.parametrize("message", ["Something else.", None])
async def test_a_message_that_is_to_be_told_at_once_cuts_the_turn_off(tmp_path, message):
    nobody, queued = Nobody(), [message, None]

    async def next_message() -> str | None:
        return queued.pop(0)

    spec = spec_for(tmp_path, "asks_once", rules=ASK, ask=nobody, next_message=next_message)
    live = await acp.start(spec)
    collecting = asyncio.create_task(collect(live))
    await asyncio.wait_for(nobody.asked.wait(), 30)
    await live.hurry()
    await asyncio.wait_for(nobody.taken_back.wait(), 10)
    events = await collecting
    assert "session/cancel" in [sent.get("method") for sent in heard(spec)]
    assert events[-1].error_type is None
    said = [(each.role, each.text) for each in only(Message, events)]
    assert said == [*([("user", message)] if message else []), ("assistant", f"Now: {message or GO_ON}")]


async def test_what_a_program_does_not_know_any_more_is_told_it(tmp_path):
    async def retell(prompt: str) -> str:
        return f"You wrote hello.txt. {prompt}"

    spec = spec_for(tmp_path, "journey", resume="s-0", retell=retell)
    events = await run(spec)
    assert events[-1].result == "I was asked: You wrote hello.txt. Do it."
