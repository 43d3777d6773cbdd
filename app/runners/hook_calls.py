"""What a hook tells of a call, in the form in which Claude Code tells its hooks, and what it is answered. Pure."""

from typing import Any, Literal

import msgspec
from msgspec import Struct

from app.processes.ask_hook import REFUSED
from app.runners.hooks import Reply, Untold

#: Characters of the name of a tool, and of the id of a call.
LONGEST_NAME = 200
#: How deep lists and objects of a call may lie in each other.
DEEPEST = 50
_BEFORE = ("PreToolUse", "BeforeTool", "")
_AFTER = ("PostToolUse", "PostToolUseFailure", "AfterTool")


class HookCall(Struct, frozen=True, kw_only=True):
    """One call, before it runs or after it."""

    #: As the program calls it; empty where it does not.
    id: str
    tool: str
    input: dict[str, Any]
    has_ended: bool = False
    output: dict[str, Any] | None = None
    #: Why it failed, where it did.
    error: str = ""


def call_of(told: bytes) -> HookCall:
    """The call that `told` is about. `Untold` when it is about none."""
    try:
        document = msgspec.json.decode(told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Untold("A call is told as one JSON object, and this is none.") from None
    if not isinstance(document, dict):
        raise Untold("A call is told as one JSON object, and this is none.")
    if not _is_flat(document, DEEPEST):
        raise Untold(f"What a call holds lies at most {DEEPEST} deep.")
    event = document.get("hook_event_name", "")
    if event not in (*_BEFORE, *_AFTER):
        raise Untold(f"AgentPane is asked before a call or told after it, not at {str(event)[:80]!r}.")
    is_over = event in _AFTER
    return HookCall(
        id=_name(document.get("tool_use_id", ""), "tool_use_id"),
        tool=_name(document.get("tool_name"), "tool_name", least=1),
        input=_document(document.get("tool_input")) or {},
        has_ended=is_over,
        output=_document(document.get("tool_response")) if is_over else None,
        error=str(document.get("error") or "") if is_over else "",
    )


#: What a program that asks looks at: the document that Claude Code reads, the exit code, or, as a script may, both.
Reads = Literal["document", "code", "both"]


def reply_to(refusal: str, reads: Reads) -> Reply:
    """The answer for a program that `reads` it so; an empty `refusal` lets the call run."""
    if reads == "code":
        return Reply(err=f"{refusal}\n", code=REFUSED) if refusal else Reply()
    decision = {"permissionDecision": "deny" if refusal else "allow", "permissionDecisionReason": refusal}
    out = msgspec.json.encode({"hookSpecificOutput": {"hookEventName": "PreToolUse", **decision}}).decode() + "\n"
    if refusal and reads == "both":
        return Reply(out=out, err=f"{refusal}\n", code=REFUSED)
    return Reply(out=out)


def _name(value: Any, what: str, least: int = 0) -> str:
    if isinstance(value, str) and least <= len(value) <= LONGEST_NAME and value.isprintable():
        return value
    raise Untold(f"A call needs a {what} of at most {LONGEST_NAME} characters that can be seen.")


def _document(value: Any) -> dict[str, Any] | None:
    return value if value is None or isinstance(value, dict) else {"content": value}


def _is_flat(value: Any, most: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return most > 0 and all(_is_flat(each, most - 1) for each in inner)
