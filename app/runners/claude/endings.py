"""Why Claude Code ended otherwise than well, as the run's error type and its words."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.runners.base import ErrorType
from app.runners.outcomes import claude_error_type, describe_exit

if TYPE_CHECKING:
    from claude_agent_sdk import ResultMessage

Failure = tuple[ErrorType, str]

_TOO_LONG = re.compile(
    r"prompt is too long|context[_ ](length|window)|maximum context|input is too long|too many (input )?tokens",
    re.IGNORECASE,
)


class TooLong(Exception):
    """The conversation does not fit into the model any more."""

    def __init__(self, prompt: str) -> None:
        super().__init__("the conversation is too long")
        #: What was to be answered.
        self.prompt = prompt


def failure(result: "ResultMessage | None", max_turns: int | None) -> Failure:
    """Why an answer was no success; None where the program ended without any."""
    if result is None:
        return "process_exit", "Claude Code ended without a result."
    error_type = claude_error_type(result.subtype, result.terminal_reason)
    if error_type == "turn_limit":
        return error_type, f"The agent reached its limit of {max_turns} turns."
    said = result.result or "; ".join(result.errors or []) or result.subtype
    status = f"The model's service answered {result.api_error_status}: " if result.api_error_status else ""
    return error_type, status + said


def death(error: Exception, start_error: str | None, stderr: Iterable[str]) -> Failure:
    """What the SDK raised, as the program's end. `start_error` is why it could not even be started."""
    if start_error:
        return "setup_failed", f"Claude Code could not be started: {start_error}."
    code = getattr(error, "exit_code", None)
    why = f"{type(error).__name__}: {error}" if code is None else describe_exit("Claude Code", code)
    return "process_exit", "\n".join([why, *stderr])


def is_unknown(error: Exception, stderr: Iterable[str]) -> bool:
    """Whether the program does not know the conversation that it was to go on with."""
    return "No conversation found" in "\n".join([str(error), *stderr])


def is_too_long(result: "ResultMessage | None") -> bool:
    """Whether the model takes no more of the conversation."""
    return result is not None and result.is_error and bool(_TOO_LONG.search(result.result or ""))
