"""What known programs print, as they really printed it (recorded from codex 0.169, gemini-cli 0.61, opencode 1.18)."""

from pathlib import Path

import pytest

from app.runners.base import AgentEvent, Message, Notice, TextDelta, ToolFinished, ToolStarted, Usage
from app.runners.lines import FORMATS, JsonLines, as_json, detect
from tests.runners.running import only

RECORDED = Path(__file__).parent / "recorded"
PROGRAMS = ["codex", "gemini", "opencode"]


def read(name: str) -> tuple[JsonLines, list[AgentEvent]]:
    lines = [as_json(line) for line in (RECORDED / f"{name}.jsonl").read_text().splitlines()]
    parser = detect(lines[0])
    return parser, [event for line in lines for event in parser.read(line)] + parser.finish()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_file_and_a_command(program):
    parser, events = read(f"{program}-writes")
    started, finished = only(ToolStarted, events), only(ToolFinished, events)
    assert [call.call_id for call in started] == [call.call_id for call in finished]
    assert [call.status for call in finished] == ["complete", "complete"]
    assert [call.turn for call in started] == [1, 2]
    assert "git status --short" in started[1].input["command"]
    assert "?? hello.txt" in str(finished[1].output)
    assert only(Message, events)[-1].text == parser.result == "All done: wrote hello.txt."
    assert parser.turn == 3
    assert parser.native_session_id
    assert parser.usage == only(Usage, events)[-1]
    assert parser.usage.input_tokens >= 3000
    assert parser.usage.output_tokens >= 126
    assert "does not know" not in str(only(Notice, events))


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_command_that_fails_is_no_failed_run(program):
    parser, events = read(f"{program}-fails")
    assert "No such file or directory" in str(only(ToolFinished, events)[0])
    assert (parser.result, parser.error_type) == ("It failed.", None)


def test_codex_tells_the_exit_code():
    _, events = read("codex-fails")
    assert only(ToolFinished, events)[0].error.startswith("Exit code 7\n")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_service_that_refuses(program):
    parser, events = read(f"{program}-refused")
    assert "400" in parser.error
    assert parser.error_type == "api_error"
    assert only(Notice, events)[-1].level == "error"


def test_pieces_of_a_message_come_before_the_whole():
    _, events = read("gemini-writes")
    assert "".join(delta.text for delta in only(TextDelta, events)) == only(Message, events)[0].text
    assert {delta.message_id for delta in only(TextDelta, events)} == {only(Message, events)[0].message_id}


@pytest.mark.parametrize("known", FORMATS)
@pytest.mark.parametrize(
    "line",
    [
        {},
        {"type": None},
        {"type": "a kind of next year"},
        {"type": "assistant", "message": 5},
        {"type": "user", "message": {}},
        {"type": "result", "usage": "much"},
        {"type": "item.completed", "item": {"type": "command_execution"}},
        {"type": "item.completed", "item": []},
        {"type": "tool_use"},
        {"type": "tool_result", "tool_id": []},
        {"type": "text", "part": None},
        {"type": "message", "role": "assistant"},
        {"type": "step_finish", "part": {"tokens": {"input": "x"}}},
        {"type": "error", "error": "just words"},
    ],
)
def test_a_strange_line_is_a_notice_never_an_exception(known, line):
    parser = known()
    for event in [*parser.read(line), *parser.finish()]:
        assert isinstance(event, Notice | Usage | Message)


@pytest.mark.parametrize("text", ["", "plain", "[1]", "{broken", '"{}"', "{" * 100_000, '{"a":' * 100_000])
def test_what_is_no_json_object_is_text(text):
    assert as_json(text) is None


def test_json_of_an_unknown_program_is_text():
    assert detect({"level": "info", "msg": "hello"}) is None
