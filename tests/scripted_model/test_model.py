"""The scripted model answers from the request alone."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.scripted_model.fixture import *  # noqa: F403

TOOLS = [{"name": "Write"}, {"name": "Bash"}]


def ask(model, *messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = json.dumps({"model": "m", "tools": TOOLS, "messages": messages, **more}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{model.url}/v1/messages", body), timeout=10) as reply:
        return json.load(reply)


def user(*texts: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text} for text in texts]}


def calls(reply: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(block["name"], block["input"]) for block in reply["content"] if block["type"] == "tool_use"]


RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "ok"}]}
CALLED = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Write", "input": {}}]}
ANSWERED = {"role": "assistant", "content": [{"type": "text", "text": "All done."}]}
FIRST = user("<system-reminder>SCENARIO:plain</system-reminder>", "A title. SCENARIO:journey")


def test_a_command_that_goes_on_is_asked_about_until_it_has_ended(scripted_model):
    runs = {"type": "tool_result", "tool_use_id": "t", "content": "Process running with session ID 7\nOutput:"}
    running = {"role": "user", "content": [runs]}
    polled = calls(ask(scripted_model, FIRST, CALLED, RESULT, CALLED, running))
    assert polled == [("write_stdin", {"session_id": 7, "chars": "", "yield_time_ms": 30_000})]
    done = ask(scripted_model, FIRST, CALLED, RESULT, CALLED, running, CALLED, RESULT)
    assert done["content"] == [{"type": "text", "text": "All done: wrote hello.txt."}]


def test_the_step_is_the_number_of_results(scripted_model):
    assert calls(ask(scripted_model, FIRST))[0][0] == "Write"
    assert calls(ask(scripted_model, FIRST, CALLED, RESULT))[0][0] == "Bash"
    done = ask(scripted_model, FIRST, CALLED, RESULT, CALLED, RESULT)
    assert done["content"] == [{"type": "text", "text": "All done: wrote hello.txt."}]


@pytest.mark.parametrize("reason", ["Please be kinder.", "Please be kinder. SCENARIO:rework"])
def test_a_rejection_is_quoted_whether_or_not_it_names_a_scenario(scripted_model, reason):
    reply = ask(scripted_model, FIRST, CALLED, RESULT, ANSWERED, user("<system-reminder>x</system-reminder>", reason))
    assert calls(reply) == [("Write", {"file_path": "second.txt", "content": f"I was asked: {reason}\n"})]
    again = ask(scripted_model, FIRST, ANSWERED, user(reason), CALLED, RESULT)
    assert again["content"][0]["text"] == "Done again: wrote second.txt."


def test_files_are_named_from_the_working_directory_that_the_agent_tells(scripted_model):
    system = [{"type": "text", "text": "# Environment\n - Primary working directory: /srv/a b\n"}]
    assert calls(ask(scripted_model, FIRST, system=system))[0][1]["file_path"] == "/srv/a b/hello.txt"


def test_a_request_without_tools_is_a_side_call(scripted_model):
    assert ask(scripted_model, FIRST, tools=[])["content"][0]["text"] == "Just text."


def test_a_scenario_that_is_not_there_is_refused(scripted_model):
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(scripted_model, user("SCENARIO:nonsense"))
    assert "choose one of journey" in refused.value.read().decode()


def test_the_log_tells_what_was_asked(scripted_model):
    ask(scripted_model, FIRST)
    assert [(asked.scenario, asked.prompt) for asked in scripted_model.asked] == [
        ("journey", "A title. SCENARIO:journey")
    ]
