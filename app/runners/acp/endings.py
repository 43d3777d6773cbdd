"""Why a conversation ended otherwise than well, as the run's error type and a sentence."""

from typing import Any

from app.runners.base import ErrorType
from app.runners.outcomes import describe_exit

Failure = tuple[ErrorType, str]

_STOPPED: dict[str, Failure] = {
    "max_tokens": ("api_error", "The model reached the most that it may write in one answer."),
    "refusal": ("api_error", "The model refused to go on with this conversation."),
    "cancelled": ("process_exit", "The program gave its turn up as cancelled, and nobody had asked for it."),
}
#: The protocol's code for a program that nobody has signed in to.
_SIGN_IN = -32000


def failure_of_turn(stop_reason: str) -> Failure | None:
    """Why a turn with that `stopReason` was no success, or None."""
    return _STOPPED.get(stop_reason)


def in_words(
    error: Exception, program: str, *, code: int | None, start_error: str | None, broken: str | None
) -> Failure:
    """What broke a conversation off. `code` is the program's exit code, None while it runs."""
    from acp.exceptions import RequestError

    from app.runners.acp.session import NotSpoken

    if start_error:
        return "setup_failed", f"{program} could not be started: {start_error}."
    if broken:
        return "process_exit", broken
    if isinstance(error, RequestError):
        return _refused(error, program)
    if isinstance(error, TimeoutError):
        return "setup_failed", f"{program} opened no conversation. Is this the command that speaks ACP?"
    if isinstance(error, NotSpoken):
        return "setup_failed", f"{program} cannot be talked to. {error}"
    if code is not None:
        return "process_exit", describe_exit(program, code)
    if isinstance(error, OSError):
        return "process_exit", f"{program} closed its output and said nothing more."
    return "process_exit", f"{program} said what cannot be understood: {type(error).__name__}: {error}"


def _refused(error: Any, program: str) -> Failure:
    """The program answered with an error of the protocol."""
    data = error.data
    details = data.get("details") or data.get("message") if isinstance(data, dict) else data
    said = f"{error}: {details}" if details else str(error)
    if error.code == _SIGN_IN:
        return "runner_missing", f"{program} wants a sign-in or a key: {said}"
    return "api_error", f"{program} answered with an error: {said}"
