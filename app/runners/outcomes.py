"""How programs end, and how Claude Code's own words about tokens and endings translate into ours."""

import signal
from collections.abc import Mapping
from typing import Any

from app.runners.base import ErrorType


def describe_exit(program: str, code: int) -> str:
    """One sentence for an exit code other than 0; a negative one is the signal that ended the program."""
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return f"{program} {how}."


def claude_tokens(usage: Mapping[str, Any] | None) -> dict[str, int | None]:
    """Input (cached tokens counted too, and alone) and output tokens of one result; None where it does not tell."""
    if not usage:
        return dict.fromkeys(("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"))
    plain, read, write = (
        usage.get(part) or 0 for part in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    )
    return {
        "input_tokens": plain + read + write,
        "output_tokens": usage.get("output_tokens") or 0,
        "cache_read_tokens": read,
        "cache_write_tokens": write,
    }


def claude_error_type(subtype: str | None, terminal_reason: str | None) -> ErrorType:
    """Why a result with `is_error` ended: its subtype may well say 'success'."""
    if subtype == "error_max_turns":
        return "turn_limit"
    if subtype == "error_max_budget_usd":
        return "budget"
    if terminal_reason == "api_error" or subtype == "success":
        return "api_error"
    return "process_exit"
