"""A tool call as the record shows it: its line, and its output in the form that fits the tool.

Programs name their tools and fields in their own ways, so everything is looked up by the usual names, and what
cannot be read is shown as JSON. Nothing of it is trusted.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from markupsafe import Markup

from app.sessions.stream_views import OutputView, ToolCallView
from app.web.diffs import FileDiff, render_change
from app.web.hidden import name_hidden, show_hidden, without_ansi
from app.web.highlight import highlight_block, highlight_lines

#: Characters of output that the record shows; the first third of it is the output's beginning, the rest its end.
MAX_OUTPUT = 6000
MAX_ARGUMENT = 300
MAX_ROWS = 120

Status = Literal["running", "ok", "failed", "refused"]

_STATUSES: dict[str, Status] = {
    "pending": "running",
    "running": "running",
    "complete": "ok",
    "error": "failed",
    "denied": "refused",
}
_FILE_TOOLS = {"Edit", "MultiEdit", "NotebookEdit", "Read", "Write"}
_PATH = ("file_path", "path", "filePath", "notebook_path", "abs_path")
_ARGUMENTS = ("command", *_PATH, "pattern", "url", "query", "description", "prompt", "title")
_OUTPUTS = ("stdout", "stderr", "output", "content", "text", "result", "formatted_output", "message")
_EXIT_CODES = ("exit_code", "exitCode", "returncode", "code")
_EXIT = re.compile(r"\s*(?:Error: )?Exit code:? (\d+)\n?")
_NUMBERED = re.compile(r"^ *\d+(?:→|\t)", re.MULTILINE)


def tool_call(
    *,
    number: int,
    at: datetime,
    actor: str,
    call_id: str,
    tool: str,
    input: Mapping[str, Any],
    status: str,
    output: Mapping[str, Any] | None = None,
    error: str | None = None,
    duration_ms: int | None = None,
    audit_id: str = "",
    root: str = "",
    redacted: int = 0,
    emptied: bool = False,
) -> ToolCallView:
    """The view of one call.

    `status` is `tool_status` (pending, running, complete, error) or `denied`; `root` is the worktree's absolute path,
    which is left out of file names; `number` is that of the event `tool_call`.
    """
    state = _STATUSES.get(status, "running")
    shown = None if emptied else _output(tool, input, output, error, root)
    return ToolCallView(
        number=number,
        at=at,
        actor=actor,
        actor_kind="agent",
        call_id=call_id,
        tool=name_hidden(tool)[:60],
        argument=argument_line(tool, input, root),
        status=state,
        outcome=_outcome(tool, state, output, error, shown),
        duration_ms=duration_ms,
        output=shown,
        audit_id=audit_id,
        redacted=redacted,
        emptied=emptied,
    )


def argument_line(tool: str, input: Mapping[str, Any], root: str = "") -> str:
    """The one argument that tells what the call is about, on one line: `pytest tests -q`, `src/app.py`."""
    if tool == "Grep":
        line = " ".join(filter(None, (json.dumps(_text(input.get("pattern")), ensure_ascii=False), _path(input, root))))
    elif tool in _FILE_TOOLS:
        line = _path(input, root)
    else:
        line = next((_relative(_text(input[name]), root) for name in _ARGUMENTS if input.get(name)), "")
    line = " ".join((line or (json.dumps(dict(input), default=str, ensure_ascii=False) if input else "")).split())
    return name_hidden(line if len(line) <= MAX_ARGUMENT else line[:MAX_ARGUMENT] + "…")


def _output(
    tool: str, input: Mapping[str, Any], output: Mapping[str, Any] | None, error: str | None, root: str
) -> OutputView | None:
    path = _path(input, root)
    if error and tool != "Bash":
        return _plain("text", error)
    if tool in ("Edit", "MultiEdit"):
        return OutputView(kind="diff", diff=_edit(input, path))
    if tool == "Write":
        return _code(_text(input.get("content")), path)
    if tool == "Bash":
        return _terminal(_text(input.get("command")), _result(output), error or "")
    if output is None:
        return None
    result = _result(output)
    return _code(_NUMBERED.sub("", result), path) if tool == "Read" and result else _any(input, output, result)


def _edit(input: Mapping[str, Any], path: str) -> FileDiff:
    edits = input.get("edits")
    changes = [edit for edit in edits if isinstance(edit, dict)] if isinstance(edits, list) else [input]
    old = "\n".join(_text(edit.get("old_string") or edit.get("old_str") or edit.get("oldText")) for edit in changes)
    new = "\n".join(_text(edit.get("new_string") or edit.get("new_str") or edit.get("newText")) for edit in changes)
    return render_change(old, new, path, MAX_ROWS)


def _terminal(command: str, result: str, error: str) -> OutputView:
    text = without_ansi(result + ("\n" if result and error else "") + _EXIT.sub("", error, count=1))
    shown, cut = _cut(text)
    whole = command if "\n" in command.strip() or len(command) > 90 else ""
    return OutputView(
        kind="terminal", html=show_hidden(shown), command=name_hidden(whole[:MAX_OUTPUT]), length=len(text), cut=cut
    )


def _code(text: str, path: str) -> OutputView:
    shown = text[:MAX_OUTPUT]
    lines = highlight_lines(shown, path)
    return OutputView(kind="code", html=Markup("\n").join(lines), length=len(text), cut=len(shown) < len(text))


def _any(input: Mapping[str, Any], output: Mapping[str, Any], result: str) -> OutputView:
    if result:
        return _plain("text", result)
    return _json({"input": dict(input), "output": dict(output)})


def _json(value: object) -> OutputView:
    text = json.dumps(value, indent=2, default=str, ensure_ascii=False)
    shown = text[:MAX_OUTPUT]
    return OutputView(kind="code", html=highlight_block(shown, "json"), length=len(text), cut=len(shown) < len(text))


def _plain(kind: Literal["text"], text: str) -> OutputView:
    shown, cut = _cut(without_ansi(text))
    return OutputView(kind=kind, html=show_hidden(shown), length=len(text), cut=cut)


def _cut(text: str) -> tuple[str, bool]:
    """Beginning and end: what a command did, and how it ended."""
    text = text.rstrip()
    if len(text) <= MAX_OUTPUT:
        return text, False
    head, tail = text[: MAX_OUTPUT // 3], text[-MAX_OUTPUT * 2 // 3 :]
    missing = len(text) - len(head) - len(tail)
    return f"{head}\n\n[… {missing:,} characters are not shown here …]\n\n{tail}", True


def _outcome(
    tool: str, state: Status, output: Mapping[str, Any] | None, error: str | None, shown: OutputView | None
) -> str:
    if state in ("running", "refused"):
        return state
    code = _exit_code(output, error)
    if code is not None and (tool == "Bash" or state == "failed"):
        return f"exit {code}"
    if state == "ok" and shown is not None:
        return _measure(tool, shown) or "ok"
    return state


def _measure(tool: str, shown: OutputView) -> str:
    if shown.diff is not None:
        return f"+{shown.diff.added} −{shown.diff.removed}" if not shown.diff.truncated else ""
    if tool in ("Read", "Write") and not shown.cut and shown.length:
        count = shown.html.rstrip("\n").count("\n") + 1
        return f"{count} line" + ("s" if count != 1 else "")
    return ""


def _exit_code(output: Mapping[str, Any] | None, error: str | None) -> int | None:
    for name in _EXIT_CODES:
        if output and isinstance(output.get(name), int):
            return int(output[name])
    found = _EXIT.match(error or "")
    return int(found[1]) if found else None


def _result(output: Mapping[str, Any] | None) -> str:
    """The text in an output, wherever its program puts it; empty when there is none."""
    if not output:
        return ""
    file = output.get("file")
    parts = [_text(file["content"])] if isinstance(file, dict) and "content" in file else []
    parts += [_text(output[name]) for name in _OUTPUTS if output.get(name)]
    return "\n".join(dict.fromkeys(part.rstrip("\n") for part in parts if part))


def _text(value: object) -> str:
    """A string, or the strings of content blocks (`[{"type": "text", "text": "…"}]`)."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(filter(None, map(_text, value)))
    if isinstance(value, dict):
        return _text(value.get("text") or value.get("content") or "")
    return "" if value is None else str(value)


def _path(input: Mapping[str, Any], root: str) -> str:
    return next((_relative(_text(input[name]), root) for name in _PATH if input.get(name)), "")


def _relative(path: str, root: str) -> str:
    return path.removeprefix(root.rstrip("/") + "/") if root else path
