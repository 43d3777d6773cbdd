"""A tool call is one line that says what it was about and how it ended, with output in the form that fits the tool."""

from datetime import UTC, datetime

from app.sessions import tool_views
from app.sessions.tool_views import tool_call

CALL = {"number": 1, "at": datetime(2026, 11, 22, tzinfo=UTC), "actor": "opus-1", "call_id": "c1", "root": "/w/t1"}


def test_a_command_is_a_terminal_with_its_exit_code():
    view = tool_call(
        tool="Bash",
        input={"command": "pytest -q"},
        status="complete",
        output={"stdout": "\x1b[31mF\x1b[0m <b>\n", "stderr": "warning\n", "exit_code": 1},
        **CALL,
    )

    assert (view.argument, view.status, view.outcome) == ("pytest -q", "ok", "exit 1")
    assert view.output.html == "F &lt;b&gt;\nwarning"
    assert view.output.command == ""


def test_the_exit_code_may_stand_in_the_error():
    view = tool_call(tool="Bash", input={"command": "false"}, status="error", error="Exit code 2\nno such file", **CALL)

    assert (view.status, view.outcome, view.output.html) == ("failed", "exit 2", "no such file")


def test_a_long_command_is_shown_whole_above_its_output():
    view = tool_call(tool="Bash", input={"command": "cat <<E\nx\nE"}, status="complete", output={"stdout": "x"}, **CALL)

    assert view.argument == "cat <<E x E"
    assert view.output.command == "cat <<E\nx\nE"


def test_an_edit_is_a_small_diff():
    view = tool_call(
        tool="Edit",
        input={"file_path": "/w/t1/src/a.py", "old_string": "x = 1\ny = 1", "new_string": "x = 2\ny = 1"},
        status="complete",
        output={"filePath": "/w/t1/src/a.py"},
        **CALL,
    )

    assert (view.argument, view.outcome) == ("src/a.py", "+1 −1")
    assert [row.kind for row in view.output.diff.hunks[0].rows] == ["del", "add", "ctx"]


def test_what_was_read_or_written_is_code():
    write = {"file_path": "/w/t1/a.py", "content": "def f():\n    pass\n"}
    read = {"file": {"filePath": "/w/t1/a.py", "content": "if x:\n    y\n"}}

    written = tool_call(tool="Write", input=write, status="complete", output={}, **CALL)
    seen = tool_call(tool="Read", input={"file_path": "/w/t1/a.py"}, status="complete", output=read, **CALL)
    numbered = tool_call(
        tool="Read",
        input={"file_path": "a.py"},
        status="complete",
        output={"content": "     1→if x:\n     2→    y"},
        **CALL,
    )

    assert written.outcome == seen.outcome == "2 lines"
    assert written.output.html.startswith('<span class="k">def</span>')
    assert numbered.output.html == seen.output.html.rstrip("\n") == '<span class="k">if</span> x:\n    y'


def test_a_search_names_its_pattern_and_place():
    view = tool_call(
        tool="Grep",
        input={"pattern": "time.sleep", "path": "/w/t1/src"},
        status="complete",
        output={"content": "a"},
        **CALL,
    )

    assert (view.argument, view.outcome) == ('"time.sleep" src', "ok")


def test_other_tools_are_shown_as_text_or_as_json():
    text = tool_call(
        tool="mcp__x__y",
        input={"query": "q"},
        status="complete",
        output={"content": [{"type": "text", "text": "<answer>"}]},
        **CALL,
    )
    data = tool_call(tool="Odd", input={"a": [1]}, status="complete", output={"b": True}, **CALL)

    assert (text.argument, text.output.kind, text.output.html) == ("q", "text", "&lt;answer&gt;")
    assert data.argument == '{"a": [1]}'
    assert "true" in data.output.html


def test_a_refused_and_a_running_call_say_so():
    refused = tool_call(tool="WebFetch", input={"url": "https://x"}, status="denied", error="Not allowed.", **CALL)
    running = tool_call(tool="Bash", input={"command": "make"}, status="running", **CALL)

    assert (refused.status, refused.outcome, refused.output.html) == ("refused", "refused", "Not allowed.")
    assert (running.status, running.outcome, running.duration_ms) == ("running", "running", None)


def test_long_output_keeps_its_beginning_and_its_end():
    view = tool_call(
        tool="Bash", input={"command": "x"}, status="complete", output={"stdout": "a" * 50_000 + "the end"}, **CALL
    )

    assert view.output.cut
    assert view.output.length == 50_007
    assert view.output.html.endswith("the end")
    assert len(view.output.html) < tool_views.MAX_OUTPUT + 200


def test_whatever_a_program_sends_is_shown_and_never_trusted():
    for hostile in (None, 7, ["x", None], {"text": {"text": "<script>"}}, "\udcff\u202e<script>"):
        for tool in ("Bash", "Edit", "MultiEdit", "Read", "Write", "Grep", "<b>"):
            sent = {
                "command": hostile,
                "file_path": hostile,
                "content": hostile,
                "edits": hostile,
                "old_string": hostile,
            }
            view = tool_call(tool=tool, input=sent, status="odd", output={"stdout": hostile}, error="<script>", **CALL)
            shown = (view.output.html if view.output else "") + str(view.output.diff if view.output else "")
            assert "<script" not in shown
            assert (view.argument + view.tool + shown).encode()
