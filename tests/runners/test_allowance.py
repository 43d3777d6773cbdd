"""What is kept of a run that never stops talking."""

from app.runners import allowance
from app.runners.allowance import CUT_CHARS, Allowance
from app.runners.base import Finished, Message, Notice, TextDelta, ToolFinished, ToolStarted, Usage
from app.runners.recent import LONGEST_NAME, Recent


def test_the_usual_run_is_kept_as_it_is():
    events = [Message(message_id="m", text="x" * 1000), Usage(input_tokens=1), Finished()]
    taken = Allowance()
    assert [kept for event in events for kept in taken.take(event)] == events


def test_what_is_said_beyond_is_cut_and_said_so_once(monkeypatch):
    monkeypatch.setattr(allowance, "MAX_RUN_BYTES", 2_000)
    taken = Allowance()
    long = Message(message_id="m", text="x" * 3_000)
    first = taken.take(long)
    assert first[0] == long
    assert isinstance(first[1], Notice)
    (cut,) = taken.take(long)
    assert cut.text == "x" * CUT_CHARS + "… [2500 more characters were cut]"
    (call,) = taken.take(ToolStarted(call_id="c", tool="Bash", input={"command": "y" * 3_000}))
    assert len(call.input["command"]) < 600
    assert taken.take(ToolFinished(call_id="c", status="complete")) == [ToolFinished(call_id="c", status="complete")]
    assert taken.take(TextDelta(message_id="m", text="piece")) == []


def test_more_than_any_real_run_does_is_the_end(monkeypatch):
    monkeypatch.setattr(allowance, "MAX_RUN_EVENTS", 2)
    taken = Allowance()
    for _ in range(10):
        assert taken.take(TextDelta(message_id="m", text="p"))
    event = Message(message_id="m", text="x")
    assert [taken.take(event), taken.take(event)] == [[event], [event]]
    assert [notice.level for notice in taken.take(event)] == ["error"]
    assert taken.is_used_up
    assert taken.take(event) == []
    assert taken.take(Finished()) == [Finished()]


def test_only_the_newest_names_are_remembered():
    recent = Recent[int](3)
    for number in range(5):
        recent[f"n{number}"] = number
    recent["x" * (LONGEST_NAME + 1)] = 9
    assert recent == {"n2": 2, "n3": 3, "n4": 4}
