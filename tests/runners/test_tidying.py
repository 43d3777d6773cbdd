"""Whatever an agent says can be stored."""

from app.runners.base import Finished, Message, ToolStarted, Usage
from app.runners.tidying import MAX_TEXT, tidy


def test_text_that_no_database_holds_is_replaced():
    assert tidy(Message(message_id="m", text="a\0b \ud800 ä")).text == "a\ufffdb ? ä"


def test_what_is_in_order_is_not_touched():
    event = ToolStarted(call_id="c", tool="Write", input={"file_path": "a", "lines": [1, 2.5, None, True]})
    assert tidy(event) == event


def test_inputs_are_cleaned_at_every_depth():
    deep = {"list": [{"bad\0key": "x\0"}], "other": object}
    tidied = tidy(ToolStarted(call_id="c", tool="T", input=deep)).input
    assert tidied["list"] == [{"bad\ufffdkey": "x\ufffd"}]
    assert isinstance(tidied["other"], str)


def test_no_string_is_boundless():
    text = tidy(Message(message_id="m", text="x" * (MAX_TEXT + 5))).text
    assert text.endswith("… [5 more characters were cut]")


def test_numbers_that_no_column_holds_are_unknown():
    wild = Finished(usage=Usage(input_tokens=10**30, output_tokens="7", cost_usd=-1.0))
    assert tidy(wild).usage == Usage()
    cached = Usage(input_tokens=10, output_tokens=1, cache_read_tokens=8, cache_write_tokens=3)
    assert tidy(cached) == Usage(input_tokens=10, output_tokens=1)
